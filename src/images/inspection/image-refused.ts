export type RefusalReason = 'not_an_image' | 'damaged' | 'polyglot' | 'too_large_decoded'

/** The bytes are not an image that is kept. The message is a whole sentence for the person who sent them. */
export class ImageRefused extends Error {
  override name = 'ImageRefused'
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** @param what what is wrong, as the second half of a sentence */
export const damaged = (format: string, what: string) =>
  new ImageRefused('damaged', `The ${format} is damaged or incomplete: ${what}.`)
