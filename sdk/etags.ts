const etags = new WeakMap<object, string>()

/** Keeps the ETag beside the resource, so that the resource stays what the contract says and nothing else. */
export function rememberETag<T>({ data, response }: { data: T; response: Response }): T {
  const etag = response.headers.get('etag')
  if (etag && data && typeof data === 'object') etags.set(data, etag)
  return data
}

/**
 * The ETag that came with a resource from `get`, `create` or `replace`, for `ifMatch`.
 *
 * Throws a `TypeError` for anything else, items of a list and copies included: a write that was meant to be conditional
 * must not silently overwrite.
 */
export function etagOf(resource: object): string {
  const etag = etags.get(resource)
  if (etag === undefined) throw new TypeError('No ETag came with this value. Get the resource by itself first.')
  return etag
}
