import type { Handlers } from '../../src/http/contract.ts'

declare const image: Awaited<ReturnType<Handlers['createImage']>>['body']

export const handlers: Handlers<'createImage'> = {
  async createImage({ body }) {
    const fields = await body.fields()
    // must not compile
    const caption: string | undefined = fields.caption
    return { status: 201, body: { ...image, name: caption ?? body.file.name }, headers: { Location: '/x' } }
  },
}
