import type { ImageService } from '../../images/image-service.ts'
import type { Handlers } from '../contract.ts'

type ImageOperation =
  | 'listImages'
  | 'createImage'
  | 'createImageUpload'
  | 'completeImageUpload'
  | 'getImage'
  | 'getImageMetadata'
  | 'updateImage'
  | 'deleteImage'

export const imageHandlers = ({ images }: { images: ImageService }): Handlers<ImageOperation> => ({
  async listImages({ caller, query }) {
    return { status: 200, body: await images.list(caller, query) }
  },

  async createImage({ caller, body, signal }) {
    const image = await images.create(caller, body, signal)
    return { status: 201, body: image, headers: { Location: `/api/images/${image.id}` } }
  },

  async createImageUpload({ caller, body }) {
    const started = await images.startUpload(caller, body)
    return { status: 201, body: started, headers: { Location: `/api/images/${started.imageId}` } }
  },

  async completeImageUpload({ caller, path, signal }) {
    return { status: 200, body: await images.completeUpload(caller, path.imageId, signal) }
  },

  async getImage({ caller, path, headers }) {
    const delivery = await images.deliver(caller, path.imageId, {
      range: headers.Range,
      ifRange: headers['If-Range'],
      ifNoneMatch: headers['If-None-Match'],
      ifModifiedSince: headers['If-Modified-Since'],
      ifMatch: headers['If-Match'],
      ifUnmodifiedSince: headers['If-Unmodified-Since'],
    })
    if (delivery.status === 304) return { status: 304, headers: delivery.headers }
    const { contentType, open, disposition } = delivery
    const name = { 'Content-Disposition': disposition }
    return delivery.status === 206
      ? { status: 206, contentType, raw: open, headers: { ...delivery.headers, ...name } }
      : { status: 200, contentType, raw: open, headers: { ...delivery.headers, ...name } }
  },

  async getImageMetadata({ caller, path }) {
    return { status: 200, body: await images.get(caller, path.imageId) }
  },

  async updateImage({ caller, path, body }) {
    return { status: 200, body: await images.update(caller, path.imageId, body) }
  },

  async deleteImage({ caller, path }) {
    await images.delete(caller, path.imageId)
    return { status: 204 }
  },
})
