import { XmlNode } from '@aws-sdk/xml-builder'

/** The content of an element: texts and nested elements. */
export interface XmlContent {
  readonly [element: string]: string | XmlContent
}

export function xmlElement(name: string, content: XmlContent): XmlNode {
  const children = Object.entries(content).map(([child, value]) =>
    typeof value === 'string' ? XmlNode.of(child, value) : xmlElement(child, value),
  )
  return new XmlNode(name, children)
}

/** Replaces what XML 1.0 has no way to write, escaped or not: https://www.w3.org/TR/xml/#charsets. */
export function xmlText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be found
  return text.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD')
}
