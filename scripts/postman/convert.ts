import converter from 'openapi-to-postmanv2'
import type { ContractDocument } from '../generate/document.ts'

/** A request of collection format 2.1, as far as we look at it. */
export interface PostmanRequest {
  name?: string
  method: string
  description?: unknown
  url: {
    raw?: string
    host: string[]
    path: string[]
    query: PostmanParameter[]
    variable: PostmanParameter[]
  }
  header: PostmanParameter[]
  body?: PostmanBody
  auth?: PostmanAuth | null
}

export interface PostmanBody {
  mode?: string
  raw?: string
  /** The parts of a form: text has a value, a file is chosen by whoever sends it. */
  formdata?: PostmanPart[]
  options?: unknown
}

export interface PostmanParameter {
  key: string
  value: string
  type?: string
  disabled?: boolean
  description?: unknown
}

export type PostmanPart = Omit<PostmanParameter, 'value'> & { value?: string }

export type PostmanAuth = { type: string } & Record<string, { key: string; value: string; type: string }[] | string>

export interface PostmanResponse {
  id?: string
  originalRequest: PostmanRequest
  [key: string]: unknown
}

export interface PostmanScript {
  listen: 'test'
  script: { type: 'text/javascript'; exec: string[] }
}

export interface PostmanItem {
  name: string
  description?: unknown
  request: PostmanRequest
  response: PostmanResponse[]
  event?: PostmanScript[]
}

export interface PostmanFolder {
  name: string
  description?: unknown
  item: PostmanItem[]
}

const options = {
  folderStrategy: 'Tags',
  parametersResolution: 'Example',
  enableOptionalParameters: false,
  includeAuthInfoInExample: false,
} as const

/** The operations as folders of requests, one for each tag. */
export async function convertToPostman(document: ContractDocument): Promise<PostmanFolder[]> {
  const { promise, resolve, reject } = Promise.withResolvers<PostmanFolder[]>()
  converter.convertV2({ type: 'json', data: document }, options, (error, conversion) => {
    const collection = conversion?.output?.[0]?.data
    if (error || !collection) return reject(error ?? new Error(`No collection was made: ${conversion?.reason}`))
    // What it gives are objects of its own, and only their JSON is the format.
    resolve(JSON.parse(JSON.stringify(collection)).item)
  })
  return promise
}
