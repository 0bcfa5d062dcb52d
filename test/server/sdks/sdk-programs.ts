import { execFileSync } from 'node:child_process'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe } from '@jest/globals'
import type { makeCertificate } from '../browser/tls-front.js'
import { tempDir } from '../temp-dir.js'

export type Certificate = NonNullable<ReturnType<typeof makeCertificate>>

/** A real SDK, and the program of ours that uses it. programs/README.md says what the program reads and writes. */
export interface SdkProgram {
  readonly name: string
  /** `context.library.name` of its events. */
  readonly library: string
  /** It sends over https only. */
  readonly isTlsOnly: boolean
  /** Whether a batch keeps its `sentAt` when the SDK sends it again. */
  readonly stampsSentAt: 'once' | 'at each try'
  /** Whether its registry is one that CI can use. */
  readonly isInCi: boolean
  /** Says what to install, or undefined where the SDK is there. */
  missing(): string | undefined
  /** The command line up to the URL. @param certificate - the one that the program has to trust */
  command(certificate: Certificate | undefined): readonly string[]
  /** What follows the URL and the write key. */
  readonly options: readonly string[]
}

const PROGRAMS = join(import.meta.dirname, 'programs')
/** Where install.sh puts the SDKs and what it builds. */
const INSTALLED = join(import.meta.dirname, '../../../.sdks')

const usual = { isTlsOnly: false, isInCi: true, options: [] } as const

const java: SdkProgram = {
  ...usual,
  name: 'Java',
  library: 'analytics-java',
  stampsSentAt: 'once',
  missing: () => notInstalled('java/Sender.class', 'java/Sender.java'),
  command: () => jvm('java'),
}

export const kotlin: SdkProgram = {
  ...usual,
  name: 'Kotlin',
  library: 'analytics-kotlin',
  isTlsOnly: true,
  stampsSentAt: 'once',
  missing: () => notInstalled('kotlin/Sender.class', 'kotlin/Sender.java'),
  command: (certificate) => jvm('kotlin', trustStoreOf(certificate)),
}

const go: SdkProgram = {
  ...usual,
  name: 'Go',
  library: 'analytics-go',
  stampsSentAt: 'once',
  missing: () => notInstalled('go/sender', 'go/sender.go'),
  command: () => [join(INSTALLED, 'go/sender')],
}

const python: SdkProgram = {
  ...usual,
  name: 'Python',
  library: 'analytics-python',
  stampsSentAt: 'at each try',
  missing: () => notInstalled('python/bin/pip', 'python/requirements.txt'),
  command: () => [join(INSTALLED, 'python/bin/python'), join(PROGRAMS, 'python/sender.py')],
}

const ruby: SdkProgram = {
  ...usual,
  name: 'Ruby',
  library: 'analytics-ruby',
  isTlsOnly: true,
  stampsSentAt: 'at each try',
  isInCi: false,
  missing: () =>
    succeeds('ruby', ['-e', "require 'segment/analytics'"]) ? undefined : 'gem install analytics-ruby',
  command: (certificate) => [
    'env',
    `SSL_CERT_FILE=${pemOf(certificate)}`,
    'ruby',
    join(PROGRAMS, 'ruby/sender.rb'),
  ],
}

const php: SdkProgram = {
  ...usual,
  name: 'PHP',
  library: 'analytics-php',
  isTlsOnly: true,
  stampsSentAt: 'once',
  isInCi: false,
  missing: () =>
    existsSync(PHP_AUTOLOAD) && succeeds('php', ['-r', "exit(extension_loaded('curl') ? 0 : 1);"])
      ? undefined
      : 'composer require segmentio/analytics-php, and set PHP_AUTOLOAD to its vendor/autoload.php',
  command: (certificate) => [
    'php',
    '-d',
    `curl.cainfo=${pemOf(certificate)}`,
    join(PROGRAMS, 'php/sender.php'),
  ],
}

const PHP_AUTOLOAD = process.env['PHP_AUTOLOAD'] ?? ''

const pythonGzip: SdkProgram = { ...python, name: 'Python, gzip', options: ['gzip'] }
const phpGzip: SdkProgram = { ...php, name: 'PHP, gzip', options: ['lib_curl', 'gzip'] }

const ALL: readonly SdkProgram[] = [java, kotlin, go, python, pythonGzip, ruby, php, phpGzip]

/** The SDKs that CI has, and those of the others that this machine has. */
export const SDKS: readonly SdkProgram[] = ALL.filter((sdk) => {
  const isTested = sdk.isInCi || sdk.missing() === undefined
  if (!isTested) console.warn(`SKIPPED: ${reasonFor(sdk, sdk.missing())}`)
  return isTested
})

/** `describe`, or what skips the tests of an SDK that is not installed. @throws where that is under CI */
export function describeFor(sdk: SdkProgram): typeof describe | typeof describe.skip {
  const missing = sdk.missing()
  if (missing === undefined) return describe
  if (process.env['CI'] === 'true') throw new Error(reasonFor(sdk, missing))
  console.warn(`SKIPPED: ${reasonFor(sdk, missing)}`)
  return describe.skip
}

function reasonFor(sdk: SdkProgram, missing: string | undefined): string {
  return `The ${sdk.name} SDK is not installed, and its tests do not run: ${missing}`
}

/** What install.sh makes is to be newer than what it makes it of. */
function notInstalled(made: string, source: string): string | undefined {
  const isMade =
    existsSync(join(INSTALLED, made)) &&
    statSync(join(INSTALLED, made)).mtimeMs >= statSync(join(PROGRAMS, source)).mtimeMs
  return isMade ? undefined : `bash test/server/sdks/install.sh ${dirname(source)}`
}

function jvm(dir: string, options: readonly string[] = []): readonly string[] {
  const classPath = [join(INSTALLED, dir), join(INSTALLED, dir, '*')].join(':')
  // The programs run for a moment: compiling them well would take longer.
  return ['java', '-XX:TieredStopAtLevel=1', ...options, '-cp', classPath, 'Sender']
}

function trustStoreOf(certificate: Certificate | undefined): readonly string[] {
  if (certificate === undefined) return []
  const store = join(tempDir(), 'trust.p12')
  const password = 'changeit'
  const options = `-importcert -noprompt -alias test -storepass ${password} -keystore ${store} -file ${pemOf(certificate)}`
  execFileSync('keytool', options.split(' '), { stdio: 'ignore' })
  return [`-Djavax.net.ssl.trustStore=${store}`, `-Djavax.net.ssl.trustStorePassword=${password}`]
}

function pemOf(certificate: Certificate | undefined): string {
  const path = join(tempDir(), 'certificate.pem')
  writeFileSync(path, certificate?.cert ?? '')
  return path
}

function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
