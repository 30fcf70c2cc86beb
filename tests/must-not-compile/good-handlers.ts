import type { Handlers } from '../../src/http/contract.ts'

/** What every other file here gets wrong in one place. This one compiles. */
type Operation =
  | 'createJob'
  | 'cancelJob'
  | 'streamJobEvents'
  | 'listPolygons'
  | 'createPolygon'
  | 'deletePolygon'
  | 'createImage'
  | 'getImage'
  | 'login'
  | 'getDocs'

declare const polygon: Awaited<ReturnType<Handlers['createPolygon']>>['body']
declare const image: Awaited<ReturnType<Handlers['createImage']>>['body']
declare const imageHeaders: Extract<Awaited<ReturnType<Handlers['getImage']>>, { status: 200 }>['headers']
declare const bytes: ReadableStream<Uint8Array>

export const handlers: Handlers<Operation> = {
  async createJob({ caller, body, headers }) {
    const jobId: string = headers['Idempotency-Key'] ?? caller.userId
    return {
      status: 201,
      body: { jobId, cached: body.type !== 'TEST', jobRequestId: jobId },
      headers: { Location: '/x' },
    }
  },

  cancelJob({ path }) {
    return { status: 200, body: { id: path.jobId } as never }
  },

  async streamJobEvents({ headers }) {
    const after: number | undefined = headers['Last-Event-ID']
    return after ? { status: 204 } : { status: 200, contentType: 'text/event-stream', raw: ': nothing yet\n\n' }
  },

  async listPolygons({ mediaType }) {
    if (mediaType === 'application/json') return { status: 200, body: { items: [] } }
    const headers = { Link: '</x>; rel="next"' }
    return { status: 200, headers, contentType: mediaType, body: { type: 'FeatureCollection', features: [] } }
  },

  async createPolygon() {
    return { status: 201, body: polygon, headers: { Location: '/x', ETag: '"1"' } }
  },

  async deletePolygon() {
    return { status: 204 }
  },

  async createImage({ body }) {
    const polygonId: string | undefined = (await body.fields()).polygonId
    return { status: 201, body: { ...image, name: body.file.name, id: polygonId ?? '' }, headers: { Location: '/x' } }
  },

  async getImage({ headers }) {
    if (headers['If-None-Match']) return { status: 304, headers: imageHeaders }
    return { status: 200, contentType: 'image/png', raw: async () => bytes, headers: imageHeaders }
  },

  async login({ body, caller }) {
    const nobody: undefined = caller
    return { status: 200, body: { token: body.email, refreshToken: body.password, expiresIn: 3600 }, headers: nobody }
  },

  async getDocs() {
    const headers = { ETag: '"1"', 'Cache-Control': 'no-cache', 'Content-Security-Policy': "default-src 'none'" }
    return { status: 200, contentType: 'text/html', raw: '<!doctype html>', headers }
  },
}
