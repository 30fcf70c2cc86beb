import { v7 as uuid } from 'uuid'
import { describe, expect, test } from 'vitest'
import type { Client } from '../sdk/index.ts'
import type { Caller } from '../src/auth/caller.ts'
import type { Tx } from '../src/db/sql.ts'
import { resultOf } from '../src/lambda/gateway-result.ts'
import { noteService } from '../src/notes/note-service.ts'
import { noteStore } from '../src/notes/note-store.ts'
import { holdOpen, untilBlocked } from './support/jobs.ts'
import { type Person, startTestService } from './support/service.ts'

const service = await startTestService()
const { sql } = service

const ring = [
  [145.442, -14.668],
  [145.461, -14.668],
  [145.461, -14.651],
  [145.442, -14.651],
  [145.442, -14.668],
]
const content = 'Bleaching on the western edge; come back after the next full moon.'
const unknownId = '019a8f00-0010-7000-8000-000000000010'
const noteNotFound = { status: 404, code: 'note_not_found' }
const polygonNotFound = { status: 404, code: 'polygon_not_found' }
const preconditionFailed = { status: 412, code: 'precondition_failed' }

type Answer<Body> = Promise<{ data?: Body; error?: unknown; response: Response }>

/** What came, or how it was refused. */
async function outcome<Body>(answer: Answer<Body>) {
  const { data, error, response } = await answer
  const { code, errors } = (error ?? {}) as { code?: string; errors?: { pointer: string }[] }
  return { status: response.status, headers: response.headers, data, code, pointers: errors?.map((e) => e.pointer) }
}

/** What came. Nothing else is expected. */
async function given<Body>(answer: Answer<Body>): Promise<NonNullable<Body>> {
  const { data, error, response } = await answer
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(error)}`)
  return data!
}

const notesOf = ({ client: { raw } }: { client: Client }) => ({
  create: (polygonId: string, text = content) => raw.POST('/api/notes', { body: { polygonId, content: text } }),
  get: (noteId: string) => raw.GET('/api/notes/{noteId}', { params: { path: { noteId } } }),
  list: (query: { polygonId?: string; limit?: number; cursor?: string } = {}) =>
    raw.GET('/api/notes', { params: { query } }),
  listByPolygon: (polygonId: string, query: { limit?: number; cursor?: string } = {}) =>
    raw.GET('/api/polygons/{polygonId}/notes', { params: { path: { polygonId }, query } }),
  replace: (noteId: string, text: string, ifMatch?: string) =>
    raw.PUT('/api/notes/{noteId}', {
      params: { path: { noteId }, header: { ...(ifMatch && { 'If-Match': ifMatch }) } },
      body: { content: text },
    }),
  delete: (noteId: string, ifMatch?: string) =>
    raw.DELETE('/api/notes/{noteId}', {
      params: { path: { noteId }, header: { ...(ifMatch && { 'If-Match': ifMatch }) } },
    }),
})

const drawPolygon = async ({ client }: Person) =>
  (await client.polygons.create({ polygon: { type: 'Polygon', coordinates: [ring] } })).id

const insertNote = (tx: Tx, id: string, author: Person, polygonId: string) =>
  tx`insert into notes (id, user_id, polygon_id, content) values (${id}, ${author.id}, ${polygonId}, ${content})`

/** The same person by an API key. */
async function byKey(person: Person): Promise<Person> {
  const scopes = ['notes:read' as const, 'notes:write' as const]
  const { key } = await person.client.users.createApiKey({ name: 'Notes', scopes })
  return { ...person, client: service.client({ apiKey: key }) }
}

const idsOf = ({ items }: { items: { id: string }[] }) => items.map(({ id }) => id)

/** Pages until there is no further. */
async function pagesOf<Page extends { nextCursor?: string }>(
  pageAfter: (cursor: { cursor?: string }) => Answer<Page>,
): Promise<Page[]> {
  const pages = [await given(pageAfter({}))]
  for (let cursor = pages[0]!.nextCursor; cursor; cursor = pages.at(-1)!.nextCursor) {
    pages.push(await given(pageAfter({ cursor })))
    if (pages.at(-1)!.nextCursor === cursor) throw new Error('The page leads to itself.')
  }
  return pages
}

describe('createNote', () => {
  test('keeps the note, and says where it is', async () => {
    const ana = await service.person()
    const polygonId = await drawPolygon(ana)

    const created = await outcome(notesOf(ana).create(polygonId))

    const note = created.data!
    expect(created.status).toBe(201)
    expect(note).toMatchObject({ userId: ana.id, polygonId, content })
    expect(note.updatedAt).toBe(note.createdAt)
    expect(created.headers.get('location')).toBe(`/api/notes/${note.id}`)
    expect(created.headers.get('etag')).toBe('"1"')
    const read = await outcome(notesOf(ana).get(note.id))
    expect(read.data).toEqual(note)
    expect(read.headers.get('etag')).toBe('"1"')
  })

  test.each([
    ['spaces at both ends', ' \n a \t '],
    ['quotes and backslashes', '"\\\\"\\u0001'],
    ['control characters', '\u0001\u001f\u007f\u2028'],
    ['20,000 characters of four bytes', '🐠'.repeat(20_000)],
  ])('keeps %s as they are', async (_, text) => {
    const ana = await service.person()

    const { id } = await given(notesOf(ana).create(await drawPolygon(ana), text))

    expect((await given(notesOf(ana).get(id))).content).toBe(text)
  })

  test.each([
    ['a member that nobody knows', { content, colour: 'red' }, '/colour'],
    ['a member that is not for the author to say', { content, userId: unknownId }, '/userId'],
    ['no content', {}, '/content'],
    ['an empty content', { content: '' }, '/content'],
    ['a content of 20,001 characters', { content: '🐠'.repeat(20_001) }, '/content'],
    ['a content that is no text', { content: 7 }, '/content'],
    ['U+0000', { content: 'a\u0000b' }, '/content'],
    ['half a character', { content: 'a\ud800b' }, '/content'],
    ['no polygon', { content, polygonId: undefined }, '/polygonId'],
    ['a polygon that is no id', { content, polygonId: 'lagoon' }, '/polygonId'],
  ])('refuses %s', async (_, members, pointer) => {
    const ana = await service.person()
    const body = { polygonId: await drawPolygon(ana), ...members } as never

    const refusal = await outcome(ana.client.raw.POST('/api/notes', { body }))

    expect(refusal).toMatchObject({ status: 400, code: 'invalid_request', pointers: [pointer] })
    expect(await sql`select from notes where user_id = ${ana.id}`).toHaveLength(0)
  })

  test('is about a polygon that the caller may see', async () => {
    const [ana, ben, admin] = [await service.person(), await service.person(), await service.person('ADMIN')]
    const polygonId = await drawPolygon(ana)

    expect(await outcome(notesOf(ben).create(polygonId))).toMatchObject(polygonNotFound)
    expect(await outcome(notesOf(await byKey(admin)).create(polygonId))).toMatchObject(polygonNotFound)
    expect(await outcome(notesOf(admin).create(unknownId))).toMatchObject(polygonNotFound)
    expect(await sql`select from notes where polygon_id = ${polygonId}`).toHaveLength(0)
    expect(await given(notesOf(await byKey(ana)).create(polygonId))).toMatchObject({ userId: ana.id })
    expect(await given(notesOf(admin).create(polygonId))).toMatchObject({ userId: admin.id })
  })

  test('finds no polygon that is deleted meanwhile', async () => {
    const ana = await service.person()
    const polygonId = await drawPolygon(ana)
    const deleting = await holdOpen(sql, (tx) => tx`delete from polygons where id = ${polygonId}`)

    const creating = outcome(notesOf(ana).create(polygonId))
    await untilBlocked(sql)
    await deleting.commit()

    expect(await creating).toMatchObject(polygonNotFound)
    expect(await sql`select from notes where user_id = ${ana.id}`).toHaveLength(0)
  })

  test('goes with the polygon that is deleted right after it', async () => {
    const ana = await service.person()
    const [polygonId, noteId] = [await drawPolygon(ana), uuid()]
    const creating = await holdOpen(sql, (tx) => insertNote(tx, noteId, ana, polygonId))

    const deleting = ana.client.polygons.delete(polygonId)
    await untilBlocked(sql)
    await creating.commit()

    await deleting
    expect(await outcome(notesOf(ana).get(noteId))).toMatchObject(noteNotFound)
  })

  test('does not wait for a polygon that is being changed', async () => {
    const ana = await service.person()
    const polygonId = await drawPolygon(ana)
    const changing = await holdOpen(sql, (tx) => tx`update polygons set name = 'Lagoon' where id = ${polygonId}`)

    const created = await outcome(notesOf(ana).create(polygonId))
    await changing.commit()

    expect(created.status).toBe(201)
  })
})

/** Ana draws, and an admin may write about it, too. Ben has drawn something else. */
const [ana, ben, admin, otherAdmin] = [
  await service.person(),
  await service.person(),
  await service.person('ADMIN'),
  await service.person('ADMIN'),
]
const anasPolygonId = await drawPolygon(ana)
await drawPolygon(ben)
const people = {
  ana,
  ben,
  admin,
  'another admin': otherAdmin,
  'a key of ana': await byKey(ana),
  'a key of ben': await byKey(ben),
  'a key of admin': await byKey(admin),
  'a key of another admin': await byKey(otherAdmin),
}
const rights = { changes: [200, 200, 204], sees: [200, 403, 403], nothing: [404, 404, 404] }
const matrix = [
  ['ana', 'ana', 'changes'],
  ['ana', 'a key of ana', 'changes'],
  ['ana', 'ben', 'nothing'],
  ['ana', 'a key of ben', 'nothing'],
  ['ana', 'admin', 'changes'],
  ['ana', 'a key of admin', 'nothing'],
  ['admin', 'admin', 'changes'],
  ['admin', 'a key of admin', 'changes'],
  ['admin', 'another admin', 'changes'],
  ['admin', 'a key of another admin', 'nothing'],
  ['admin', 'ana', 'sees'],
  ['admin', 'a key of ana', 'sees'],
  ['admin', 'ben', 'nothing'],
  ['admin', 'a key of ben', 'nothing'],
] as const

describe('a note about a polygon of ana', () => {
  test.each(matrix)('by %s: %s %s', async (author, who, right) => {
    const { id } = await given(notesOf(people[author]).create(anasPolygonId))
    const notes = notesOf(people[who])

    const outcomes = [
      await outcome<unknown>(notes.get(id)),
      await outcome<unknown>(notes.replace(id, 'changed')),
      await outcome<unknown>(notes.delete(id)),
    ]

    expect(outcomes.map(({ status }) => status)).toEqual(rights[right])
    const codes = new Set(outcomes.map(({ code }) => code).filter((code) => code !== undefined))
    expect([...codes]).toEqual({ changes: [], sees: ['forbidden'], nothing: ['note_not_found'] }[right])
    const [kept] = await sql`select content, version from notes where id = ${id}`
    expect(kept).toEqual(right === 'changes' ? undefined : { content, version: 1 })
  })

  test.each(matrix)('by %s, asked for by what would belong to it: %s %s', async (author, who, right) => {
    const { id } = await given(notesOf(people[author]).create(anasPolygonId))
    const caller: Caller = {
      kind: who.startsWith('a key') ? 'apiKey' : 'session',
      userId: people[who].id,
      roles: who.includes('admin') ? ['USER', 'ADMIN'] : ['USER'],
      scopes: [],
    }
    const notes = noteService({ notes: noteStore(sql), polygons: { isVisible: async () => false } })

    expect((await notes.findOwn(caller, id))?.id).toBe(right === 'changes' ? id : undefined)
  })

  test('stays when its author is deleted', async () => {
    const [drawer, author] = [await service.person(), await service.person('ADMIN')]
    const { id } = await given(notesOf(author).create(await drawPolygon(drawer)))

    await admin.client.users.delete(author.id)

    expect(await given(notesOf(drawer).get(id))).toMatchObject({ userId: author.id, content })
  })

  test('is deleted with its polygon', async () => {
    const author = await service.person()
    const [polygonId, otherId] = [await drawPolygon(author), await drawPolygon(author)]
    const { id } = await given(notesOf(author).create(polygonId))
    const other = await given(notesOf(author).create(otherId))

    await author.client.polygons.delete(polygonId)

    expect(await outcome(notesOf(author).get(id))).toMatchObject(noteNotFound)
    expect((await given(notesOf(author).list())).items).toEqual([other])
  })
})

describe('getNote', () => {
  test('knows no note that is not there', async () => {
    expect(await outcome(notesOf(admin).get(unknownId))).toMatchObject(noteNotFound)
    expect(await outcome(notesOf(admin).get('bleaching'))).toMatchObject({ status: 400 })
  })
})

/** A drawer with two polygons, two notes about each, and one by an admin about the first. Newest first. */
async function fieldTrip() {
  const [drawer, visitor] = [await service.person(), await service.person('ADMIN')]
  const [first, second] = [await drawPolygon(drawer), await drawPolygon(drawer)]
  const write = async (author: Person, polygonId: string) => (await given(notesOf(author).create(polygonId))).id
  const ids = [
    await write(drawer, first),
    await write(drawer, second),
    await write(visitor, first),
    await write(drawer, first),
    await write(drawer, second),
  ].reverse() as [string, string, string, string, string]
  return { drawer, visitor, first, second, ids }
}

describe('listNotes', () => {
  test('lists what I wrote and nothing else, newest first', async () => {
    const { drawer, ids } = await fieldTrip()
    const mine = [ids[0], ids[1], ids[3], ids[4]]

    const { items } = await given(notesOf(drawer).list())

    expect(idsOf({ items })).toEqual(mine)
    expect(items[0]).toEqual(await given(notesOf(drawer).get(ids[0])))
  })

  test("lists everyone's for an admin, but not for a key of an admin", async () => {
    const { visitor, ids } = await fieldTrip()

    expect(idsOf(await given(notesOf(visitor).list({ limit: 5 })))).toEqual(ids)
    expect(idsOf(await given(notesOf(await byKey(visitor)).list()))).toEqual([ids[2]])
  })

  test('can be narrowed to a polygon', async () => {
    const { drawer, visitor, first, second, ids } = await fieldTrip()

    expect(idsOf(await given(notesOf(drawer).list({ polygonId: first })))).toEqual([ids[1], ids[4]])
    expect(idsOf(await given(notesOf(drawer).list({ polygonId: second })))).toEqual([ids[0], ids[3]])
    expect(idsOf(await given(notesOf(visitor).list({ polygonId: first })))).toEqual([ids[1], ids[2], ids[4]])
    expect(idsOf(await given(notesOf(ben).list({ polygonId: first })))).toEqual([])
    expect(idsOf(await given(notesOf(admin).list({ polygonId: unknownId })))).toEqual([])
    expect(await outcome(notesOf(ben).list({ polygonId: 'lagoon' }))).toMatchObject({ status: 400 })
  })

  test('goes page by page, narrowed or not', async () => {
    const { drawer, visitor, first, ids } = await fieldTrip()

    const mine = await pagesOf((cursor) => notesOf(drawer).list({ limit: 3, ...cursor }))
    const narrowed = await pagesOf((cursor) => notesOf(visitor).list({ limit: 1, polygonId: first, ...cursor }))

    expect(mine.map(idsOf)).toEqual([[ids[0], ids[1], ids[3]], [ids[4]]])
    expect(narrowed.map(idsOf)).toEqual([[ids[1]], [ids[2]], [ids[4]]])
  })

  test.each([
    ['a cursor that is not ours', { cursor: 'bogus' }],
    ['a limit of none', { limit: 0 }],
    ['a limit beyond 200', { limit: 201 }],
  ])('refuses %s', async (_, query) => {
    expect(await outcome(notesOf(ben).list(query))).toMatchObject({ status: 400, code: 'invalid_request' })
  })
})

describe('listPolygonNotes', () => {
  test('lists the notes of one polygon whoever wrote them, newest first and page by page', async () => {
    const { drawer, visitor, first, second, ids } = await fieldTrip()

    const pages = await pagesOf((cursor) => notesOf(drawer).listByPolygon(first, { limit: 2, ...cursor }))

    expect(pages.map(idsOf)).toEqual([[ids[1], ids[2]], [ids[4]]])
    expect(idsOf(await given(notesOf(await byKey(drawer)).listByPolygon(first)))).toEqual([ids[1], ids[2], ids[4]])
    expect(idsOf(await given(notesOf(visitor).listByPolygon(second)))).toEqual([ids[0], ids[3]])
  })

  test('knows no polygon that the caller may not see', async () => {
    const { visitor, first } = await fieldTrip()

    expect(await outcome(notesOf(ben).listByPolygon(first))).toMatchObject(polygonNotFound)
    // Not even who wrote about it: as a key, an admin has no more than the key.
    expect(await outcome(notesOf(await byKey(visitor)).listByPolygon(first))).toMatchObject(polygonNotFound)
    expect(await outcome(notesOf(admin).listByPolygon(unknownId))).toMatchObject(polygonNotFound)
  })
})

describe('a page of very long notes', () => {
  async function authorOf(character: string) {
    const author = await service.person()
    const polygonId = await drawPolygon(author)
    const ids = Array.from({ length: 210 }, () => uuid())
    await sql`
      insert into notes (id, user_id, polygon_id, content)
      select id, ${author.id}, ${polygonId}, repeat(${character}, 20000)
      from unnest(${ids}::uuid[]) as fresh (id)
    `
    return { author, polygonId, ids: ids.toReversed() }
  }

  test.each([
    ['letters', 'x', 105],
    ['characters of four bytes', '🐠', 27],
    ['quotes, which JSON escapes', '"', 53],
    ['control characters, which JSON writes as six', '\u0001', 18],
  ])('of %s holds fewer of them, and leaves none out', async (_, character, fitting) => {
    const { author, polygonId, ids } = await authorOf(character)

    const pages = await pagesOf((cursor) => notesOf(author).list({ limit: 200, ...cursor }))

    expect(pages.flatMap(idsOf)).toEqual(ids)
    expect(pages[0]!.items).toHaveLength(fitting)
    const headers = { authorization: `Bearer ${author.token}` }
    const whole = await service.send(`/api/polygons/${polygonId}/notes?limit=200`, { headers })
    expect((await resultOf(whole)).statusCode).toBe(200)
  })
})

describe('replaceNote', () => {
  test('replaces what it says, and nothing else', async () => {
    const polygonId = await drawPolygon(ben)
    const note = await given(notesOf(ben).create(polygonId))

    const replaced = await outcome(notesOf(ben).replace(note.id, 'No worse a month later.'))

    expect(replaced.headers.get('etag')).toBe('"2"')
    const { updatedAt, ...others } = replaced.data!
    expect({ ...others, updatedAt: note.updatedAt }).toEqual({ ...note, content: 'No worse a month later.' })
    expect(Date.parse(updatedAt)).toBeGreaterThanOrEqual(Date.parse(note.updatedAt))
    const read = await outcome(notesOf(ben).get(note.id))
    expect(read.data).toEqual(replaced.data)
    expect(read.headers.get('etag')).toBe('"2"')
  })

  test('tells when it was', async () => {
    const { id } = await given(notesOf(ben).create(await drawPolygon(ben)))
    await sql`update notes set created_at = '2026-01-01', updated_at = '2026-01-01' where id = ${id}`

    const { createdAt, updatedAt } = await given(notesOf(ben).replace(id, 'changed'))

    expect(createdAt).toBe('2026-01-01T00:00:00.000Z')
    expect(updatedAt > createdAt).toBe(true)
  })

  test('leaves the author where an admin does it', async () => {
    const { id } = await given(notesOf(ben).create(await drawPolygon(ben)))

    expect(await given(notesOf(admin).replace(id, 'changed'))).toMatchObject({ userId: ben.id, content: 'changed' })
  })

  test.each([
    ['another polygon', { content, polygonId: unknownId }, '/polygonId'],
    ['an empty content', { content: '' }, '/content'],
    ['a content of 20,001 characters', { content: 'x'.repeat(20_001) }, '/content'],
    ['U+0000', { content: '\u0000' }, '/content'],
  ])('refuses %s', async (_, body, pointer) => {
    const { id } = await given(notesOf(ben).create(await drawPolygon(ben)))
    const replacing = ben.client.raw.PUT('/api/notes/{noteId}', { params: { path: { noteId: id } }, body })

    expect(await outcome(replacing)).toMatchObject({ status: 400, code: 'invalid_request', pointers: [pointer] })
    expect(await given(notesOf(ben).get(id))).toMatchObject({ content })
  })

  test.each([
    ['the tag that was read', '"1"', 200],
    ['any of several tags', '"7", "1" ,"9"', 200],
    ['whatever is there', '*', 200],
    ['none of several tags', '"7", "11"', 412],
    ['a weak tag, which matches nothing', 'W/"1"', 412],
    ['a tag that is not ours', 'bogus', 412],
  ])('goes by %s', async (_, ifMatch, status) => {
    const { id } = await given(notesOf(ben).create(await drawPolygon(ben)))

    expect(await outcome(notesOf(ben).replace(id, 'changed', ifMatch))).toMatchObject({ status })
    expect((await given(notesOf(ben).get(id))).content).toBe(status === 200 ? 'changed' : content)
  })

  test('says that it may not, or that there is none, whatever the tag', async () => {
    const { id } = await given(notesOf(admin).create(anasPolygonId))

    expect(await outcome(notesOf(ana).replace(id, 'changed', '"7"'))).toMatchObject({ status: 403, code: 'forbidden' })
    expect(await outcome(notesOf(ana).delete(id, '"7"'))).toMatchObject({ status: 403, code: 'forbidden' })
    expect(await outcome(notesOf(ben).replace(id, 'changed', '"7"'))).toMatchObject(noteNotFound)
    expect(await outcome(notesOf(ben).delete(unknownId, '"7"'))).toMatchObject(noteNotFound)
  })
})

/** Two writes that both have read version 1, and reach it in this order. */
async function inTurn<First, Second>(id: string, first: () => Answer<First>, second: () => Answer<Second>) {
  const row = await holdOpen(sql, (tx) => tx`select from notes where id = ${id} for update`)
  const [one, other] = [outcome(first()), untilBlocked(sql).then(() => outcome(second()))]
  await untilBlocked(sql, 2)
  await row.commit()
  return [await one, await other] as const
}

describe('two writes at once', () => {
  const written = async () => (await given(notesOf(ben).create(await drawPolygon(ben)))).id

  test('one replaces, the other finds that it has changed', async () => {
    const id = await written()

    const [first, second] = await inTurn(
      id,
      () => notesOf(ben).replace(id, 'first', '"1"'),
      () => notesOf(ben).replace(id, 'second', '"1"'),
    )

    expect([first, second]).toMatchObject([{ status: 200 }, preconditionFailed])
    expect((await given(notesOf(ben).get(id))).content).toBe('first')
  })

  test('one replaces, the other does not delete what it has not read', async () => {
    const id = await written()

    const [first, second] = await inTurn(
      id,
      () => notesOf(ben).replace(id, 'first', '"1"'),
      () => notesOf(ben).delete(id, '"1"'),
    )

    expect([first, second]).toMatchObject([{ status: 200 }, preconditionFailed])
    expect((await given(notesOf(ben).get(id))).content).toBe('first')
  })

  test('one deletes, the other finds nothing to replace', async () => {
    const id = await written()

    const [first, second] = await inTurn(
      id,
      () => notesOf(ben).delete(id, '"1"'),
      () => notesOf(ben).replace(id, 'second', '"1"'),
    )

    expect([first, second]).toMatchObject([{ status: 204 }, noteNotFound])
  })

  test('finds nothing to replace where the polygon is deleted meanwhile', async () => {
    const polygonId = await drawPolygon(ben)
    const { id } = await given(notesOf(ben).create(polygonId))
    const deleting = await holdOpen(sql, (tx) => tx`delete from polygons where id = ${polygonId}`)

    const replacing = outcome(notesOf(ben).replace(id, 'changed'))
    await untilBlocked(sql)
    await deleting.commit()

    expect(await replacing).toMatchObject(noteNotFound)
  })
})

describe('deleteNote', () => {
  test('deletes it, once', async () => {
    const { id } = await given(notesOf(ben).create(await drawPolygon(ben)))

    expect(await outcome(notesOf(ben).delete(id))).toMatchObject({ status: 204 })
    expect(await outcome(notesOf(ben).get(id))).toMatchObject(noteNotFound)
    expect(await outcome(notesOf(ben).delete(id))).toMatchObject(noteNotFound)
  })

  test('is refused when the note has changed since it was read', async () => {
    const { id } = await given(notesOf(ben).create(await drawPolygon(ben)))
    await given(notesOf(ben).replace(id, 'changed'))

    expect(await outcome(notesOf(ben).delete(id, '"1"'))).toMatchObject(preconditionFailed)
    expect(await outcome(notesOf(ben).delete(id, '"2"'))).toMatchObject({ status: 204 })
  })
})
