import type { Api } from './api.ts'
import type { CallOptions } from './options.ts'
import type { ConditionalOptions } from './polygons.ts'
import type { Note, NoteCreate, NoteUpdate, Page, Query } from './types.ts'

/** What people write about polygons. */
export interface NoteCalls {
  /**
   * List notes.
   *
   * Mine, newest first; for an admin everyone's.
   */
  list(query?: Query<'listNotes'>, options?: CallOptions): Promise<Page<Note>>
  /** All of them, newest first. `limit` is the size of a page. */
  listAll(query?: Query<'listNotes'>, options?: CallOptions): AsyncGenerator<Note, void, undefined>
  /**
   * List the notes of a polygon.
   *
   * Whoever wrote them, newest first. For the polygon's owner and for admins.
   *
   * Throws `polygon_not_found`.
   */
  listByPolygon(polygonId: string, query?: Query<'listPolygonNotes'>, options?: CallOptions): Promise<Page<Note>>
  /** All of them, newest first. `limit` is the size of a page. */
  listAllByPolygon(
    polygonId: string,
    query?: Query<'listPolygonNotes'>,
    options?: CallOptions,
  ): AsyncGenerator<Note, void, undefined>
  /**
   * Write a note.
   *
   * About a polygon that is yours; an admin, about any.
   *
   * Throws `polygon_not_found`.
   */
  create(note: NoteCreate, options?: CallOptions): Promise<Note>
  /**
   * Show a note.
   *
   * For who wrote it, whose polygon it is about, and admins.
   *
   * Throws `note_not_found`.
   */
  get(noteId: string, options?: CallOptions): Promise<Note>
  /**
   * Replace a note.
   *
   * For who wrote it, and admins. Send `If-Match` to be sure that nobody has changed it since you read it.
   *
   * Throws `note_not_found`, `precondition_failed`.
   */
  replace(noteId: string, note: NoteUpdate, options?: ConditionalOptions): Promise<Note>
  /**
   * Delete a note.
   *
   * For who wrote it, and admins. Images that belonged to it stay.
   *
   * Throws `note_not_found`, `precondition_failed`.
   */
  delete(noteId: string, options?: ConditionalOptions): Promise<void>
}

export const noteCalls = ({ operation, items }: Api): NoteCalls => ({
  list: operation('get', '/api/notes', 'query'),
  listAll: items('/api/notes'),
  listByPolygon: operation('get', '/api/polygons/{polygonId}/notes', 'query'),
  listAllByPolygon: items('/api/polygons/{polygonId}/notes'),
  create: operation('post', '/api/notes', 'body'),
  get: operation('get', '/api/notes/{noteId}'),
  replace: operation('put', '/api/notes/{noteId}', 'body'),
  delete: operation('delete', '/api/notes/{noteId}'),
})
