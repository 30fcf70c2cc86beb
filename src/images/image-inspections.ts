import { AppError } from '../errors.ts'
import { createTurns } from '../turns.ts'
import type { ImageRow } from './image-store.ts'
import type { ImageSize } from './inspection/inspection.ts'
import { type FileStore, inspectFile, type StoredFile } from './stored-image.ts'

export interface ImageInspections {
  /**
   * The pixels of an image whose file is stored. Ends when nobody waits for it any more. Throws `AppError`: for what is not kept, or,
   * with `service_unavailable`, where the signal aborts, which says nothing of the image.
   */
  inspect(image: Pick<ImageRow, 'id'> & StoredFile, signal?: AbortSignal): Promise<ImageSize>
}

interface SharedInspection {
  size: Promise<ImageSize>
  waiting: number
  nobody: AbortController
}

/** Inflating takes a core, and the service has others to answer meanwhile. */
const atOnce = 2

/**
 * Inspects few files at once, and each image once, however many ask for it: that is the work of seconds, and asking costs nothing. All
 * of that holds within a process; two of them may well inspect the same image.
 */
export function imageInspections(store: FileStore): ImageInspections {
  const turns = createTurns(atOnce)
  const underWay = new Map<string, SharedInspection>()

  async function inspectInTurn(image: StoredFile, signal: AbortSignal): Promise<ImageSize> {
    const endTurn = await turns.take(1, signal)
    try {
      return await inspectFile(store, image, signal)
    } finally {
      endTurn()
    }
  }

  function begin(image: Pick<ImageRow, 'id'> & StoredFile): SharedInspection {
    const nobody = new AbortController()
    const forget = () => underWay.get(image.id) === shared && underWay.delete(image.id)
    const size = inspectInTurn(image, nobody.signal)
    const shared = { size, waiting: 0, nobody }
    underWay.set(image.id, shared)
    // Whoever comes after the last has gone begins anew.
    nobody.signal.addEventListener('abort', forget, { once: true })
    size.then(forget, forget)
    return shared
  }

  return {
    async inspect(image, signal = new AbortController().signal) {
      if (signal.aborted) throw ended(signal)
      const shared = underWay.get(image.id) ?? begin(image)
      const gone = Promise.withResolvers<never>()
      const leave = () => gone.reject(ended(signal))
      shared.waiting++
      signal.addEventListener('abort', leave, { once: true })
      try {
        return await Promise.race([shared.size, gone.promise])
      } finally {
        signal.removeEventListener('abort', leave)
        if (--shared.waiting === 0) shared.nobody.abort()
      }
    },
  }
}

const ended = ({ reason }: AbortSignal) =>
  new AppError('service_unavailable', 'The image was not looked at to its end. Try again.', {
    cause: reason,
    retryAfterSeconds: 2,
  })
