import { isJsonObject, type JsonObject } from '../json-object.js'
import type { BodyText } from './body-text.js'
import { changedContext } from './client-context.js'
import { LineWriter } from './line-writer.js'
import type { Changes } from './normalize.js'
import { type ObjectSpans, SPAN } from './object-spans.js'

const QUOTE = '"'.charCodeAt(0)
/** No member. */
const NONE = -1
/** Bytes: a comma after what is added to the context, one before what is added at the end, and the newline. */
const EXTRA_BYTES = 3

/** What is to be written beside an event's own text, and what of that is not. */
interface Plan {
  /** Keys whose members are left out. */
  readonly dropped: readonly string[]
  /** Members for the beginning of its own context, with commas between them. */
  readonly inContext: string
  /** Members for the end, with commas between them. */
  readonly added: string
}

/** The text of a request, as far as it is needed here. */
export type SourceText = Pick<BodyText, 'bytes' | 'quoted'>

/**
 * The line of an event: the bytes of its members as they came, less those that are set anew, which follow them.
 * `undefined` where it is not beyond doubt that JSON.stringify would write the same, in another order perhaps.
 *
 * @param text - what the spans are of
 */
export function splice(
  event: JsonObject,
  changes: Changes,
  spans: ObjectSpans,
  text: SourceText,
): Buffer | undefined {
  const { start, end, members } = spans
  // Fewer keys than members: one comes twice.
  if (members.length !== Object.keys(event).length * SPAN) return undefined
  const { dropped, inContext, added } = planOf(event, changes, text)
  const omitted = dropped.map((key) => memberOf(key, spans, text.bytes))
  const context = inContext === '' ? NONE : memberOf('context', spans, text.bytes)
  // A key is there, but written with escapes.
  if (omitted.includes(NONE) || (inContext !== '' && context === NONE)) return undefined
  const isAsItCame = omitted.length === 0 && context === NONE
  if (isAsItCame) return appended(spans, added, text.bytes)
  const size = end - start + Buffer.byteLength(inContext) + Buffer.byteLength(added)
  const line = new LineWriter(text.bytes, size + EXTRA_BYTES)
  const isContextEmpty = isEmptyObject(event['context'])
  const isEmpty = copyMembers(line, spans, { omitted, context, inContext, isContextEmpty })
  line.write(tailOf(added, isEmpty))
  return line.written()
}

function planOf(event: JsonObject, { members, context, inContext }: Changes, text: SourceText): Plan {
  const dropped: string[] = Object.hasOwn(event, 'writeKey') ? ['writeKey'] : []
  let added = ''
  const set = (key: string, value: unknown) => {
    if (Object.hasOwn(event, key)) {
      if (event[key] === value) return
      dropped.push(key)
    }
    if (value === undefined) return
    added += `${added === '' ? '' : ','}"${key}":${typeof value === 'string' ? text.quoted(value) : JSON.stringify(value)}`
  }
  for (const key of Object.keys(members)) set(key, members[key])
  const own = event['context']
  const isInsertable =
    inContext !== undefined &&
    own === context &&
    isJsonObject(own) &&
    Object.entries(inContext).every(([key, value]) => value !== undefined && !Object.hasOwn(own, key))
  if (isInsertable) return { dropped, inContext: JSON.stringify(inContext).slice(1, -1), added }
  const final = changedContext(context, inContext)
  if (final !== undefined) set('context', final)
  return { dropped, inContext: '', added }
}

/** The object as it came, with members added at its end. */
function appended({ start, end, members }: ObjectSpans, added: string, bytes: Buffer): Buffer {
  const tail = tailOf(added, members.length === 0)
  const line = new LineWriter(bytes, end - 1 - start + Buffer.byteLength(tail))
  line.copy(start, end - 1)
  line.write(tail)
  return line.written()
}

function tailOf(added: string, isEmpty: boolean): string {
  return isEmpty || added === '' ? `${added}}\n` : `,${added}}\n`
}

/** Which members are copied, and how. */
interface Copying extends Pick<Plan, 'inContext'> {
  /** Members that are left out. */
  readonly omitted: readonly number[]
  /** The member whose value {@link Plan.inContext} goes into. */
  readonly context: number
  readonly isContextEmpty: boolean
}

/** Copies the members that stay, as many at once as stand side by side. Returns whether there are none. */
function copyMembers(
  line: LineWriter,
  { start, members }: ObjectSpans,
  { omitted, context, inContext, isContextEmpty }: Copying,
): boolean {
  /** Of the stretch to copy: from its first member, or from the brace before that. */
  let from = start
  let to = start + 1
  let isEmpty = true
  for (let i = 0; i < members.length; i += SPAN) {
    const [key, value, end] = [members[i], members[i + 1], members[i + 2]] as [number, number, number]
    if (omitted.includes(i)) {
      if (from !== NONE) line.copy(from, to)
      from = NONE
      continue
    }
    if (from === NONE) {
      if (!isEmpty) line.write(',')
      from = key
    }
    isEmpty = false
    if (i === context) {
      const inside = value + 1
      line.copy(from, inside)
      line.write(isContextEmpty ? inContext : `${inContext},`)
      from = inside
    }
    to = end
  }
  if (from !== NONE) line.copy(from, to)
  return isEmpty
}

/** The index of a key's member in {@link ObjectSpans.members}, where the key is written as it is. */
function memberOf(key: string, { members }: ObjectSpans, bytes: Buffer): number {
  for (let i = 0; i < members.length; i += SPAN) {
    const from = (members[i] as number) + 1
    const to = from + key.length
    if (bytes[to] === QUOTE && bytes.toString('latin1', from, to) === key) return i
  }
  return NONE
}

function isEmptyObject(value: unknown): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0
}
