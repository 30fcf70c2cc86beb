import { describe, expect, test } from 'vitest'
import { examplesOf, type Operation, operations, resolve } from './contract.ts'

interface Told {
  operation: Operation
  status: string
  name: string
  value: unknown
}

/** Every example of every JSON body, in and out. Problems belong to no story. */
const told: Told[] = operations.flatMap((operation) => {
  const answers = Object.entries(operation.responses).map(([status, response]) => [status, resolve(response)] as const)
  const asked = operation.requestBody ? [['asked', resolve(operation.requestBody)] as const] : []
  return [...asked, ...answers].flatMap(([status, { content }]) => {
    const media = content?.['application/json']
    return media ? examplesOf(media).map(({ name, value }) => ({ operation, status, name, value })) : []
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
  test.each(['jobId', 'polygonId', 'assignmentId', 'region'])('has one %s', (member) => {
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

  test('lists what can be shown', () => {
    const itemsOf = (id: string) => answerOf(id).items as Members[]

    expect(itemsOf('listJobs')).toEqual([answerOf('getJob')])
    expect(itemsOf('listPolygons')).toEqual([answerOf('getPolygon')])
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
