import type { components } from '../../generated/types.ts'
import type { Caller } from '../auth/caller.ts'
import { AppError } from '../errors.ts'
import { attachment } from '../store/content-disposition.ts'
import { type DownloadConditions, type DownloadHead, downloadHead } from '../store/download-head.ts'
import type { ReadyImage } from './image-store.ts'
import { FileMissing, type FileStore, openFile } from './stored-image.ts'

type SentHead = Extract<DownloadHead, { status: 200 | 206 }>

/** What to answer to who fetches an image. */
export type ImageDelivery =
  | Extract<DownloadHead, { status: 304 }>
  | (SentHead & {
      contentType: components['schemas']['ImageType']
      disposition: string
      /** Throws before the first byte if there is none. To be read to the end, or cancelled. */
      open(): Promise<ReadableStream<Uint8Array>>
    })

export interface ImageDeliveryDeps {
  store: FileStore
  /** Throws `image_not_found`. */
  find(caller: Caller, id: string): Promise<ReadyImage>
}

export const imageDelivery =
  ({ store, find }: ImageDeliveryDeps) =>
  /** Throws `precondition_failed` and `range_not_satisfiable`. */
  async (caller: Caller, id: string, conditions: DownloadConditions): Promise<ImageDelivery> => {
    const image = await find(caller, id)
    const { sizeBytes, sha256, createdAt, contentType, name } = image
    const head = downloadHead(conditions, { sizeBytes, etag: `"${sha256}"`, lastModifiedAt: createdAt })
    if (head.status === 412) throw new AppError('precondition_failed', 'The image is another than was asked for.')
    if (head.status === 416)
      throw new AppError('range_not_satisfiable', `The image has ${sizeBytes} bytes.`, { headers: head.headers })
    if (head.status === 304) return head
    const open = async () => {
      try {
        return await openFile(store, image.objectKey, sizeBytes, head.range)
      } catch (error) {
        // Deleted since it was found, it is not there; else we have lost it.
        if (error instanceof FileMissing) await find(caller, id)
        throw error
      }
    }
    return { ...head, contentType, disposition: attachment(name), open }
  }
