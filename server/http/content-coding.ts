import { isUtf8 } from 'node:buffer'
import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'
import { Pieces, takeRoom } from './collect.js'
import { badRequest } from './http-problem.js'
import { MAX_BODY_BYTES } from './limits.js'
import type { Reservation } from './reservation.js'

/** The real format of some bytes, whatever Content-Encoding says. */
type Format = 'plain' | 'gzip' | 'zlib' | 'raw deflate' | 'br'

/** The result of removing one encoding. */
interface Layer {
  readonly bytes: Buffer
  readonly format: Format
  /** Whether the compressed stream has its end, and nothing follows it. */
  readonly isWhole: boolean
}

/** SECURITY: each layer can inflate up to the cap and costs that much work. Real senders use one. */
const MAX_LAYERS = 4

const MAKERS: Readonly<
  Record<Exclude<Format, 'plain'>, () => Transform & { readonly bytesWritten: number }>
> = {
  gzip: createGunzip,
  zlib: createInflate,
  'raw deflate': createInflateRaw,
  br: createBrotliDecompress,
}

/** Lists the encodings of a Content-Encoding header, in the order in which they were applied. */
export function encodingsOf(header: string | undefined): readonly string[] {
  if (header === undefined) return []
  const names = header.split(',').map((name) => name.trim().toLowerCase())
  return names.filter((name) => name !== '' && name !== 'identity')
}

/** Whether the bytes begin like gzip or zlib. No JSON does. */
export function looksCompressed(bytes: Buffer): boolean {
  const first = bytes[0]
  // Every body comes here, so look at the first byte only if that is enough.
  return (first === 0x1f || first === 0x78) && signatureOf(bytes) !== undefined
}

/** A body whose encodings were removed. */
export interface Inflated {
  readonly bytes: Buffer
  /** Whether the body was a whole stream of just the encodings that Content-Encoding names. */
  readonly isAsDeclared: boolean
}

/**
 * Inflates a body. If Content-Encoding is wrong, this goes by the bytes: some senders set the header and do not compress,
 * and some proxies inflate the body and leave the header. A stream that ends early yields the part that came.
 *
 * @throws HttpProblem 400 for a body that cannot be inflated or is too large, 503 if memory runs out
 */
export async function inflate(
  body: Buffer,
  encodings: readonly string[],
  reservation: Reservation,
): Promise<Inflated> {
  let bytes = body
  let isAsDeclared = true
  let layers = 0
  const peel = async (formats: readonly Format[], name: string) => {
    if (++layers > MAX_LAYERS) throw badEncoding(`There are more than ${MAX_LAYERS} Content-Encodings`)
    const layer = await firstThatFits(formats, bytes, { name, reservation })
    bytes = layer.bytes
    if (!layer.isWhole || !isMeantBy(name, layer.format)) isAsDeclared = false
  }
  for (const name of encodings.toReversed()) await peel(formatsFor(name, bytes), name)
  // The sender compressed the body twice, or did not say that it is compressed.
  while (looksCompressed(bytes)) await peel(formatsFor('gzip', bytes), 'gzip or deflate')
  return { bytes, isAsDeclared }
}

function isMeantBy(name: string, format: Format): boolean {
  if (name === 'deflate') return format === 'zlib' || format === 'raw deflate'
  return name === format || (name === 'x-gzip' && format === 'gzip')
}

/** Lists the formats that bytes under this encoding's name may have, the most likely first. */
function formatsFor(name: string, bytes: Buffer): readonly Format[] {
  const signature = signatureOf(bytes)
  const isJson = beginsLikeJson(bytes)
  const plain: readonly Format[] = isJson ? ['plain'] : []
  const signed: readonly Format[] = signature === undefined ? plain : [signature]
  switch (name) {
    // Brotli and raw deflate have no signature. Their streams may begin like JSON, but are never valid text.
    case 'br':
      return isJson && isUtf8(bytes) ? plain : ['br', ...signed]
    case 'deflate':
      if (isJson && isUtf8(bytes)) return plain
      // Some senders leave out zlib's header (RFC 1950).
      return signature === 'gzip' ? signed : [...(signature ? signed : []), 'raw deflate', ...plain]
    case 'gzip':
    case 'x-gzip':
      return signed
    default:
      if (signed.length > 0) return signed
      throw badEncoding('The Content-Encoding is not supported; use gzip, deflate, br or none')
  }
}

async function firstThatFits(
  formats: readonly Format[],
  bytes: Buffer,
  { name, reservation }: { readonly name: string; readonly reservation: Reservation },
): Promise<Layer> {
  let early: Layer | undefined
  for (const format of formats) {
    if (format === 'plain') return { bytes, format, isWhole: true }
    const layer =
      (await inflateAs(format, bytes, reservation)) ??
      (format === 'gzip' ? await gunzipFirst(bytes, reservation) : undefined)
    if (layer?.isWhole) return layer
    if (layer !== undefined && layer.bytes.length > 0) early ??= layer
  }
  if (early !== undefined) return early
  throw badEncoding(`The body is not valid ${name}`)
}

/** Resolves to `undefined` if the bytes do not have that format. */
function inflateAs(
  format: Exclude<Format, 'plain'>,
  bytes: Buffer,
  reservation: Reservation,
): Promise<Layer | undefined> {
  return new Promise((resolve, reject) => {
    const inflater = MAKERS[format]()
    const pieces = new Pieces()
    inflater.on('data', (piece: Buffer) => {
      const refusal = takeRoom(pieces.size, piece.length, reservation)
      if (refusal === undefined) return pieces.add(piece)
      inflater.destroy()
      reject(refusal)
    })
    inflater.once('end', () => resolve({ bytes: pieces.taken(), format, isWhole: true }))
    inflater.on('error', (error: NodeJS.ErrnoException) => {
      // "Unexpected end of file": the inflater has emitted all that came before it.
      if (error.code === 'Z_BUF_ERROR') return resolve({ bytes: pieces.taken(), format, isWhole: false })
      reservation.giveBack(pieces.size)
      resolve(undefined)
    })
    inflater.end(bytes)
  })
}

const GZIP_TRAILER_BYTES = 8

/** Inflates the first member of a gzip stream if other bytes follow it, such as a line end. Checks its checksum. */
async function gunzipFirst(bytes: Buffer, reservation: Reservation): Promise<Layer | undefined> {
  const start = gzipHeaderLength(bytes)
  const end = start + (await deflateLength(bytes.subarray(start))) + GZIP_TRAILER_BYTES
  if (end >= bytes.length || signatureOf(bytes.subarray(end)) === 'gzip') return undefined
  const member = await inflateAs('gzip', bytes.subarray(0, end), reservation)
  return member && { ...member, isWhole: false }
}

/** Resolves to the length of the deflate stream at the beginning, or of all bytes if it is broken or too large. */
function deflateLength(bytes: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const inflater = createInflateRaw()
    let size = 0
    const giveUp = () => {
      inflater.destroy()
      resolve(bytes.length)
    }
    inflater.on('data', (piece: Buffer) => {
      size += piece.length
      // SECURITY: a bomb must cost no more here than elsewhere.
      if (size > MAX_BODY_BYTES) giveUp()
    })
    inflater.on('error', giveUp)
    inflater.once('end', () => resolve(inflater.bytesWritten))
    inflater.end(bytes)
  })
}

/** Source: RFC 1952, 2.3. */
function gzipHeaderLength(bytes: Buffer): number {
  const flags = bytes[3] ?? 0
  let at = 10
  if (flags & 0x04) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8)
  const textEnd = (from: number) => bytes.indexOf(0, from) + 1 || bytes.length
  if (flags & 0x08) at = textEnd(at)
  if (flags & 0x10) at = textEnd(at)
  if (flags & 0x02) at += 2
  return Math.min(at, bytes.length)
}

function signatureOf(bytes: Buffer): 'gzip' | 'zlib' | undefined {
  const first = bytes[0] ?? 0
  const second = bytes[1] ?? 0
  if (first === 0x1f && second === 0x8b && bytes[2] === 8) return 'gzip'
  // RFC 1950: deflate, a window of 32 KiB at most, no preset dictionary, a check of five bits.
  const isZlib =
    (first & 0x0f) === 8 && first <= 0x78 && (second & 0x20) === 0 && ((first << 8) | second) % 31 === 0
  return isZlib ? 'zlib' : undefined
}

/** Bytes that may precede JSON's first bracket: white space, byte order marks, and the zeros of UTF-16. */
const BEFORE_JSON: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf, 0xfe, 0xff, 0])

/** No sender writes more than this before the bracket. */
const MAX_BEFORE_JSON = 1_024

function beginsLikeJson(bytes: Buffer): boolean {
  const first = bytes.subarray(0, MAX_BEFORE_JSON).find((byte) => !BEFORE_JSON.has(byte))
  return first === 0x7b || first === 0x5b
}

function badEncoding(message: string) {
  return badRequest('invalid_encoding', message)
}
