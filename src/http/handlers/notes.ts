import type { NoteService } from '../../notes/note-service.ts'
import type { Handlers } from '../contract.ts'

type NoteOperation = 'listPolygonNotes' | 'listNotes' | 'createNote' | 'getNote' | 'replaceNote' | 'deleteNote'

export const noteHandlers = ({ notes }: { notes: NoteService }): Handlers<NoteOperation> => ({
  async listPolygonNotes({ caller, path, query }) {
    return { status: 200, body: await notes.listOfPolygon(caller, path.polygonId, query) }
  },

  async listNotes({ caller, query }) {
    return { status: 200, body: await notes.list(caller, query) }
  },

  async createNote({ caller, body }) {
    const { note, etag } = await notes.create(caller, body)
    return { status: 201, body: note, headers: { Location: `/api/notes/${note.id}`, ETag: etag } }
  },

  async getNote({ caller, path }) {
    const { note, etag } = await notes.get(caller, path.noteId)
    return { status: 200, body: note, headers: { ETag: etag } }
  },

  async replaceNote({ caller, path, headers, body }) {
    const { note, etag } = await notes.replace(caller, path.noteId, body, headers['If-Match'])
    return { status: 200, body: note, headers: { ETag: etag } }
  },

  async deleteNote({ caller, path, headers }) {
    await notes.delete(caller, path.noteId, headers['If-Match'])
    return { status: 204 }
  },
})
