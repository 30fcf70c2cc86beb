import { describe, expect, test } from 'vitest'
import { examplesOf, type Operation, operations, resolve } from './contract.ts'

interface Told {
  operation: Operation
  status: string
  name: string
  value: unknown
}

/** Every example of every body that is JSON or a form, in and out. Problems belong to no story. */
const storied = ['application/json', 'application/geo+json', 'multipart/form-data']
const told: Told[] = operations.flatMap((operation) => {
  const answers = Object.entries(operation.responses).map(([status, response]) => [status, resolve(response)] as const)
  const asked = operation.requestBody ? [['asked', resolve(operation.requestBody)] as const] : []
  return [...asked, ...answers].flatMap(([status, { content }]) => {
    const told = Object.entries(content ?? {}).filter(([type]) => storied.includes(type))
    return told.flatMap(([, media]) => examplesOf(media).map(({ name, value }) => ({ operation, status, name, value })))
  })
})

type Members = Record<string, unknown>

/** Every object in a value, with where it is. */
function objectsIn(value: unknown, at = ''): { at: string; members: Members }[] {
  if (!value || typeof value !== 'object') return []
  const inner = Object.entries(value).flatMap(([key, member]) => objectsIn(member, `${at}/${key}`))
  return Array.isArray(value) ? inner : [{ at, members: value as Members }, ...inner]
}

const objects = told.flatMap(({ operation: { operationId }, status, name, value }) =>
  objectsIn(value).map(({ at, members }) => ({ where: `${operationId} ${status} ${name} ${at}`, members })),
)

function answerOf(id: string, status = '200', name?: string): Members {
  const found = told.find(
    (each) => each.operation.operationId === id && each.status === status && (!name || each.name === name),
  )
  return found!.value as Members
}

const inPath = (parameter: string) => {
  const { path, examplePath } = operations.find((operation) => operation.path.includes(`{${parameter}}`))!
  return examplePath.split('/')[path.split('/').indexOf(`{${parameter}}`)]
}

describe('the story of the examples', () => {
  test.each(['jobId', 'polygonId', 'noteId', 'imageId', 'assignmentId', 'region'])('has one %s', (member) => {
    const others = objects.filter(
      ({ members }) => typeof members[member] === 'string' && members[member] !== inPath(member),
    )

    expect(others.map(({ where }) => where)).toEqual([])
  })

  test('has one person', () => {
    const { userId } = answerOf('register')
    const person = answerOf('getMe')

    expect(person.id).toBe(userId)
    expect(objects.filter(({ members }) => (members.userId ?? userId) !== userId)).toEqual([])
    expect(objects.filter(({ members }) => (members.email ?? person.email) !== person.email)).toEqual([])
    expect(answerOf('getProfile')).toEqual({ user: person })
  })

  test('shows the polygon that was drawn', () => {
    const { name, polygon } = answerOf('createPolygon', 'asked')

    expect(answerOf('createPolygon', '201')).toMatchObject({ id: inPath('polygonId'), name, polygon })
    expect(answerOf('getPolygon')).toEqual(answerOf('createPolygon', '201'))
  })

  test('shows the same polygon as a feature', () => {
    const { id, polygon, bbox, properties, centroid: _, updatedAt, createdAt, ...facts } = answerOf('getPolygon')
    const [feature] = objects.filter(({ members }) => members.type === 'Feature' && members.id === id)

    expect(feature!.members).toEqual({
      type: 'Feature',
      id,
      bbox,
      geometry: polygon,
      properties: { ...(properties as Members), ...facts, createdAt, updatedAt },
    })
    for (const { members } of objects.filter(({ members }) => members.type === 'Feature' && members.id))
      expect(members).toEqual(feature!.members)
  })

  test('imports the polygon that was drawn', () => {
    const [{ geometry, properties }] = answerOf('importPolygons', 'asked').features as [Members]
    const { id, name, polygon, bbox, areaSquareMeters } = answerOf('getPolygon')

    expect({ geometry, name: (properties as Members).name }).toEqual({ geometry: polygon, name })
    expect(answerOf('importPolygons', '201').items).toEqual([{ id, name, bbox, areaSquareMeters }])
  })

  test('shows the note that was written, and what became of it', () => {
    const { polygonId, content } = answerOf('createNote', 'asked')
    const written = answerOf('createNote', '201')

    expect(written).toMatchObject({ id: inPath('noteId'), polygonId, content })
    expect(answerOf('getNote')).toEqual(written)
    expect(answerOf('replaceNote')).toEqual({
      ...written,
      ...answerOf('replaceNote', 'asked'),
      updatedAt: answerOf('replaceNote').updatedAt,
    })
    expect(String(answerOf('replaceNote').updatedAt) > String(written.updatedAt)).toBe(true)
  })

  test('shows the image that was uploaded, in one go or in three', () => {
    const { file, ...about } = answerOf('createImage', 'asked')
    const declared = answerOf('createImageUpload', 'asked')
    const image = answerOf('createImage', '201')

    expect(image).toMatchObject({ id: inPath('imageId'), name: file, ...about })
    expect(image).toMatchObject(declared)
    expect(answerOf('createImageUpload', '201').imageId).toBe(image.id)
    expect(answerOf('completeImageUpload')).toEqual(image)
    expect(answerOf('getImageMetadata')).toEqual(image)
    expect(image).toMatchObject(answerOf('updateImage', 'asked'))
    expect(answerOf('updateImage')).toEqual(image)
  })

  test('sends the file of that image', () => {
    const { responses } = operations.find(({ operationId }) => operationId === 'getImage')!
    const { name, contentType, sizeBytes, sha256, createdAt } = answerOf('getImageMetadata') as Record<string, string>
    const told = (status: string) =>
      Object.fromEntries(
        Object.entries(resolve(responses[status]!).headers ?? {}).map(([header, said]) => [
          header,
          (said as { example?: string }).example,
        ]),
      )

    expect(Object.keys(resolve(responses['200']!).content!)[0]).toBe(contentType)
    for (const status of ['200', '206', '304'])
      expect(told(status)).toMatchObject({
        ETag: `"${sha256}"`,
        'Last-Modified': new Date(createdAt!).toUTCString(),
      })
    expect(told('200')['Content-Length']).toBe(String(sizeBytes))
    expect(told('206')['Content-Range']).toBe(`bytes 0-${Number(told('206')['Content-Length']) - 1}/${sizeBytes}`)
    const [, encoded] = /filename\*=UTF-8''(.*)$/.exec(told('200')['Content-Disposition']!)!
    expect(decodeURIComponent(encoded!)).toBe(name)
  })

  test('lists what can be shown', () => {
    const itemsOf = (id: string) => answerOf(id).items as Members[]

    expect(itemsOf('listJobs')).toEqual([answerOf('getJob')])
    expect(itemsOf('listPolygons')).toEqual([answerOf('getPolygon')])
    expect(itemsOf('listNotes')).toEqual([answerOf('getNote')])
    expect(itemsOf('listPolygonNotes')).toEqual([answerOf('getNote')])
    expect(itemsOf('listImages')).toEqual([answerOf('getImageMetadata')])
    expect(itemsOf('listRegions')).toEqual([answerOf('getRegion')])
    expect(itemsOf('listJobRequests')).toMatchObject([
      { jobId: answerOf('getJob').id, status: answerOf('getJob').status, type: answerOf('getJob').type },
    ])
    expect(itemsOf('listJobTypes')).toContainEqual(answerOf('getJobType'))
  })

  test('has one job, from its creation to its files', () => {
    const { id, type, status } = answerOf('getJob')
    const [claim] = answerOf('claimJobs').claims as { job: Members; assignment: Members }[]

    expect(answerOf('createJob', '201').jobId).toBe(id)
    expect(answerOf('createJob', 'asked', 'assessment')).toMatchObject({
      type,
      inputPayload: answerOf('getJob').inputPayload,
    })
    expect((answerOf('pollJobs').jobs as Members[])[0]).toMatchObject({ id, type })
    expect(claim!.job).toMatchObject({ id, type })
    expect(claim!.assignment).toMatchObject({ id: inPath('assignmentId'), jobId: id })
    expect(answerOf('assignJob').assignment).toEqual(claim!.assignment)
    expect(answerOf('reportResult', 'asked').resultPayload).toEqual(answerOf('getJob').resultPayload)
    expect(answerOf('reportResult')).toMatchObject({ jobId: id, status })
    expect(answerOf('downloadJob').job).toEqual({ id, type, status })
  })

  test('tells in its events what the job shows', () => {
    const { responses } = operations.find(({ operationId }) => operationId === 'streamJobEvents')!
    const streams = examplesOf(resolve(responses['200']!).content!['text/event-stream']!)
    for (const { name, value } of streams) {
      const events = [...(value as string).matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!))
      const job = answerOf('getJob', '200', name)

      expect(events.map(({ id }) => id)).toEqual(events.map((_, at) => at + 1))
      expect(events.at(-1)).toMatchObject({ id: job.lastEventId, status: job.status, at: job.finishedAt })
    }
  })

  test.each([
    ['createdAt', 'updatedAt'],
    ['createdAt', 'startedAt'],
    ['createdAt', 'availableAt'],
    ['createdAt', 'lastUsedAt'],
    ['startedAt', 'updatedAt'],
    ['startedAt', 'finishedAt'],
    ['finishedAt', 'updatedAt'],
    ['createdAt', 'expiresAt'],
    ['expiresAt', 'deadlineAt'],
  ])('never has %s after %s', (earlier, later) => {
    const both = objects.filter(({ members }) => members[earlier] && members[later])

    expect(both).not.toEqual([])
    expect(both.filter(({ members }) => String(members[earlier]) > String(members[later]))).toEqual([])
  })

  test.each(operations.filter(({ responses }) => responses['404']))(
    'misses in $operationId what its request names',
    ({ path, body, responses }) => {
      const { content } = resolve(responses['404']!)
      const { code } = examplesOf(content!['application/problem+json']!)[0]!.value as { code: string }
      const named = [...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!), ...Object.keys(body?.example ?? {})]
      const things = named.map((name) =>
        name.replace(/Id$/, '').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      )

      expect(things.map((thing) => (thing === 'type' ? 'job_type_not_found' : `${thing}_not_found`))).toContain(code)
    },
  )
})
