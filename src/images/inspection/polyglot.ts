import { ImageRefused } from './image-refused.ts'

/** The longest that can follow the start of a ZIP's end record: the record and its comment. */
export const tailBytes = 22 + 65_535

/**
 * Refuses a file that other programs would open as something else: a PDF, which may start late (ISO 32000-1, annex
 * H.3.4.1), or a ZIP archive, which is found from its end (APPNOTE.TXT 4.3.16), wherever in the image's structure it is
 * hidden.
 * @throws ImageRefused
 */
export function assertNoOtherFormat(head: Uint8Array, tail: Uint8Array, sizeBytes: number): void {
  if (Buffer.from(head).includes('%PDF-')) {
    throw new ImageRefused('polyglot', 'The file is a PDF as well as an image; export it as a plain image.')
  }
  const bytes = Buffer.from(tail.buffer, tail.byteOffset, tail.length)
  const signature = 'PK\x05\x06'
  for (let at = bytes.indexOf(signature); at !== -1; at = bytes.indexOf(signature, at + 1)) {
    if (isArchiveEnd(bytes, at, sizeBytes - bytes.length + at)) {
      throw new ImageRefused('polyglot', 'The file is a ZIP archive as well as an image; send the image alone.')
    }
  }
}

/** @param position where the record stands in the file */
function isArchiveEnd(bytes: Buffer, at: number, position: number): boolean {
  if (at + 22 > bytes.length) return false
  // A ZIP64 archive has its true numbers elsewhere, and says where right before this record (4.3.15).
  if (at >= 20 && bytes.readUInt32LE(at - 20) === 0x07064b50) return true
  // Relative to the archive's start, which may lie behind the image's.
  return bytes.readUInt32LE(at + 12) + bytes.readUInt32LE(at + 16) <= position
}

/** Looks for what a browser or an interpreter would run, in metadata that comes in pieces. Throws `ImageRefused`. */
export interface MarkupScan {
  add(bytes: Uint8Array): void
  /** The text ends here; what comes after it is another one. */
  finish(): void
}

/** What a browser or an interpreter takes for its own, in lower case. */
export const markup = ['<script', '<?php', '<html', '<!doctype html']

/**
 * @param head the first bytes of the file: some can be read as script that opens a comment, for metadata to close it
 */
export function markupScan(head: Uint8Array): MarkupScan {
  const opensComment = Buffer.from(head.subarray(0, 16)).includes('/*')
  const needles = opensComment ? [...markup, '*/'] : markup
  const overlapBytes = Math.max(...needles.map(({ length }) => length)) - 1
  const window = Buffer.alloc(32 * 1024)
  let used = 0

  function search() {
    const text = window.toString('latin1', 0, used).toLowerCase()
    if (needles.some((needle) => text.includes(needle))) {
      throw new ImageRefused(
        'polyglot',
        'The image has a web page or a program in its metadata; export it without metadata.',
      )
    }
  }

  return {
    add(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const piece = bytes.subarray(at, at + window.length - used)
        window.set(piece, used)
        used += piece.length
        at += piece.length
        if (used < window.length) continue
        search()
        window.copyWithin(0, used - overlapBytes, used)
        used = overlapBytes
      }
    },
    finish() {
      search()
      used = 0
    },
  }
}
