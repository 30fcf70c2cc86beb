import { ImageRefused } from './image-refused.ts'
import { markup } from './polyglot.ts'

/** So many bytes are enough for `otherKind`. A PDF reader looks for its header in as many. */
export const headBytes = 1024

interface Beginning {
  kind: string
  /** In Latin-1. */
  texts: string[]
  /** Where they stand, one of these; at the start unless told. */
  at?: number[]
}

/** How other kinds of files begin. NULs and white space are passed before. */
const beginnings: Beginning[] = [
  { kind: 'an archive', texts: ['PK\x03\x04', 'PK\x05\x06', "7z\xbc\xaf'\x1c", 'Rar!\x1a\x07', '\xfd7zXZ', 'BZh'] },
  { kind: 'an archive', texts: ['\x1f\x8b\x08', '(\xb5/\xfd'] },
  { kind: 'an archive', texts: ['ustar'], at: [257] },
  // Its size stands in front, in four bytes some of which may be passed as NULs.
  { kind: 'a film', texts: ['ftyp'], at: [0, 1, 2, 3, 4] },
  { kind: 'a film', texts: ['\x1aE\xdf\xa3'] },
  { kind: 'a film or a sound', texts: ['AVI ', 'WAVE'], at: [8] },
  { kind: 'a sound', texts: ['OggS', 'ID3', 'fLaC'] },
  { kind: 'a program', texts: ['MZ', '\x7fELF', '#!/', '#! /', '\xca\xfe\xba\xbe', 'asm\x01'] },
  { kind: 'a program', texts: ['\xce\xfa\xed\xfe', '\xcf\xfa\xed\xfe', '\xfe\xed\xfa\xce', '\xfe\xed\xfa\xcf'] },
  { kind: 'a document', texts: ['%PDF-', '%!PS', '{\\rtf', '\xd0\xcf\x11\xe0\xa1\xb1'] },
  { kind: 'a database', texts: ['SQLite format 3'] },
]

/** In metadata an SVG or another document type may be told of; a file that begins so is one. */
const beginningsOfPages = [...markup, '<svg', '<!doctype']

/**
 * What bytes would be opened as besides an image, in words for people: nothing where they begin like none of what is
 * known.
 * @param bytes their first `headBytes`, from the first that is neither NUL nor white space
 */
export function otherKind(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, headBytes)).toString('latin1')
  for (const { kind, texts, at = [0] } of beginnings) {
    if (texts.some((each) => at.some((position) => text.startsWith(each, position)))) return kind
  }
  const lower = text.toLowerCase()
  return beginningsOfPages.some((each) => lower.includes(each)) ? 'a web page or a script' : undefined
}

export function byteSet(...values: number[]): Uint8Array {
  const set = new Uint8Array(256)
  for (const value of values) set[value] = 1
  return set
}

/** NUL and white space, which writers and transports leave behind a file, mean nothing anywhere. */
export const padding = byteSet(0x00, 0x09, 0x0a, 0x0d, 0x20)

/** @param bytes as of `otherKind` */
export const followedBy = (format: string, bytes: Uint8Array) =>
  new ImageRefused(
    'polyglot',
    `The ${format} is followed by ${otherKind(bytes) ?? 'something that is no part of it'}; ` +
      `export it as a plain ${format}.`,
  )
