import { type Api, answer, data } from './api.ts'
import { rememberETag } from './etags.ts'
import type { CallOptions } from './options.ts'
import { allItems } from './pages.ts'
import type { Page, Polygon, PolygonWrite, Query } from './types.ts'

/** What writes to a polygon take. */
export interface ConditionalOptions extends CallOptions {
  /** The ETag that was read (`etagOf`). The write is refused with `precondition_failed` if the polygon has changed since. */
  ifMatch?: string | undefined
}

/** Places that people draw. A person sees their own, an admin all. */
export interface PolygonCalls {
  /**
   * List polygons.
   *
   * Mine, newest first; for an admin everyone's.
   *
   * @remarks
   * One page; `listAll` follows them.
   */
  list(query?: Query<'listPolygons'>, options?: CallOptions): Promise<Page<Polygon>>
  /** All of them, newest first. `limit` is the size of a page. */
  listAll(query?: Query<'listPolygons'>, options?: CallOptions): AsyncGenerator<Polygon, void, undefined>
  /**
   * Create a polygon.
   *
   * Takes an RFC 7946 Polygon or MultiPolygon, bare or as a Feature. Rings must be closed and positions in range.
   *
   * @remarks
   * Not repeated after a lost answer, which may leave a polygon.
   */
  create(polygon: PolygonWrite, options?: CallOptions): Promise<Polygon>
  /**
   * Show a polygon.
   *
   * For its owner and for admins.
   *
   * Throws `polygon_not_found`.
   *
   * @remarks
   * `etagOf` tells its ETag. Those of others are not found.
   */
  get(polygonId: string, options?: CallOptions): Promise<Polygon>
  /**
   * Replace a polygon.
   *
   * Replaces all of it. Send `If-Match` to be sure that nobody has changed it since you read it.
   *
   * Throws `polygon_not_found`, `precondition_failed`.
   *
   * @remarks
   * With `ifMatch` an answer that was lost on the way may come back as `precondition_failed`, since the first try had already
   * changed the polygon.
   */
  replace(polygonId: string, polygon: PolygonWrite, options?: ConditionalOptions): Promise<Polygon>
  /**
   * Delete a polygon.
   *
   * Jobs that used it keep a copy of the geometry they run on.
   *
   * Throws `polygon_not_found`, `precondition_failed`.
   *
   * @remarks
   * After a lost answer the repetition may say `polygon_not_found`.
   */
  delete(polygonId: string, options?: ConditionalOptions): Promise<void>
}

export function polygonCalls(api: Api): PolygonCalls {
  const list: PolygonCalls['list'] = (query, options) =>
    data(api.http.GET('/api/polygons', { params: { query }, ...api.with(options) }))

  const write = (polygonId: string, options?: ConditionalOptions) => ({
    params: { path: { polygonId }, header: { 'If-Match': options?.ifMatch } },
    ...api.with(options),
  })

  return {
    list,
    listAll: (query, options) => allItems((cursor) => list({ ...query, cursor }, options), query?.cursor),

    create: async (polygon, options) =>
      rememberETag(await answer(api.http.POST('/api/polygons', { body: polygon, ...api.with(options) }))),

    get: async (polygonId, options) =>
      rememberETag(
        await answer(
          api.http.GET('/api/polygons/{polygonId}', { params: { path: { polygonId } }, ...api.with(options) }),
        ),
      ),

    replace: async (polygonId, polygon, options) =>
      rememberETag(
        await answer(api.http.PUT('/api/polygons/{polygonId}', { body: polygon, ...write(polygonId, options) })),
      ),

    delete: (polygonId, options) => data(api.http.DELETE('/api/polygons/{polygonId}', write(polygonId, options))),
  }
}
