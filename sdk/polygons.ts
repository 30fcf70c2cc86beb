import type { Api } from './api.ts'
import type { CallOptions } from './options.ts'
import type {
  AreaFeatureCollection,
  Page,
  Polygon,
  PolygonFeatureCollection,
  PolygonImport,
  PolygonWrite,
  Query,
} from './types.ts'

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
   * Mine, newest first; for an admin everyone's. With `Accept: application/geo+json` as a FeatureCollection, which GIS
   * programs open.
   *
   * @remarks
   * One page; `listAll` follows them.
   */
  list(query?: Query<'listPolygons'>, options?: CallOptions): Promise<Page<Polygon>>
  /** All of them, newest first. `limit` is the size of a page. */
  listAll(query?: Query<'listPolygons'>, options?: CallOptions): AsyncGenerator<Polygon, void, undefined>
  /** A page of them as an RFC 7946 FeatureCollection, which GIS programs open. */
  features(query?: Query<'listPolygons'>, options?: CallOptions): Promise<PolygonFeatureCollection>
  /**
   * Import polygons.
   *
   * Makes a polygon of each feature of a FeatureCollection, all or none: everything that is wrong is pointed at,
   * feature by feature, up to a hundred faults. Properties are kept; `name` and `description` among them become the
   * polygon's, where they are text, or a number for a name.
   */
  import(
    collection: AreaFeatureCollection,
    query?: Query<'importPolygons'>,
    options?: CallOptions,
  ): Promise<PolygonImport>
  /**
   * Create a polygon.
   *
   * Takes an RFC 7946 Polygon or MultiPolygon, bare or as a Feature. Rings must be closed, neither cross themselves nor
   * each other, and have positions in range; they are wound as the RFC asks. An edge over more than 180 degrees of
   * longitude goes the short way, and the polygon is cut at the antimeridian. Any fault is pointed at.
   *
   * @remarks
   * Not repeated after a lost answer, which may leave a polygon.
   */
  create(polygon: PolygonWrite, options?: CallOptions): Promise<Polygon>
  /**
   * Show a polygon.
   *
   * For its owner and for admins. With `Accept: application/geo+json` as a Feature.
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
   * Its notes go with it; its images stay, without it. Jobs that used it keep a copy of the geometry they run on.
   *
   * Throws `polygon_not_found`, `precondition_failed`.
   *
   * @remarks
   * After a lost answer the repetition may say `polygon_not_found`.
   */
  delete(polygonId: string, options?: ConditionalOptions): Promise<void>
}

export function polygonCalls({ operation, items }: Api): PolygonCalls {
  const list = operation('get', '/api/polygons', 'query')
  const headers = { Accept: 'application/geo+json' }

  return {
    list,
    listAll: items('/api/polygons'),
    features: (query, options) => list(query, { ...options, headers }) as never,
    import: operation('post', '/api/polygons/import', 'body', 'query'),
    create: operation('post', '/api/polygons', 'body'),
    get: operation('get', '/api/polygons/{polygonId}'),
    replace: operation('put', '/api/polygons/{polygonId}', 'body'),
    delete: operation('delete', '/api/polygons/{polygonId}'),
  }
}
