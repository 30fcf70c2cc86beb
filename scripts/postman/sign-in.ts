import type { Operation } from '../generate/document.ts'
import type { PostmanAuth, PostmanScript } from './convert.ts'

/** What requests leave for those after them: the variable, and where the answer has it. */
const remembered: Record<string, Record<string, string>> = {
  login: { token: 'answer.token', refreshToken: 'answer.refreshToken' },
  refreshToken: { token: 'answer.token', refreshToken: 'answer.refreshToken' },
  createApiKey: { apiKey: 'answer.key', apiKeyId: 'answer.id' },
  createPolygon: { polygonId: 'answer.id' },
  importPolygons: { polygonId: 'answer.items[0]?.id' },
  createNote: { noteId: 'answer.id' },
  createImage: { imageId: 'answer.id' },
  createImageUpload: { imageId: 'answer.imageId' },
  createJob: { jobId: 'answer.jobId' },
  assignJob: { assignmentId: 'answer.assignment.id', assignmentToken: 'answer.assignment.token' },
  claimJobs: {
    jobId: 'answer.claims[0]?.job.id',
    assignmentId: 'answer.claims[0]?.assignment.id',
    assignmentToken: 'answer.claims[0]?.assignment.token',
  },
}

/** Variables that requests fill in by themselves, in the order in which one meets them. */
export const rememberedVariables = [...new Set(Object.values(remembered).flatMap((values) => Object.keys(values)))]

/** Runs in Postman once the answer is there. */
export function scriptsOf({ operationId }: Operation): PostmanScript[] {
  const values = remembered[operationId]
  if (!values) return []
  const exec = [
    'if (pm.response.code < 300) {',
    '  const answer = pm.response.json()',
    ...Object.entries(values).map(([name, place]) => `  remember('${name}', ${place})`),
    '}',
    'function remember(name, value) {',
    '  if (value !== undefined) pm.collectionVariables.set(name, value)',
    '}',
  ]
  return [{ listen: 'test', script: { type: 'text/javascript', exec } }]
}

const bearer = (variable: string): PostmanAuth => ({
  type: 'bearer',
  bearer: [{ key: 'token', value: `{{${variable}}}`, type: 'string' }],
})

/** Whoever has signed in. */
export const personAuth = bearer('token')

/** Who sends a request, where that is not the person who has signed in: nobody, a worker, or one of its assignments. */
export function authOf(operation: Operation): PostmanAuth | undefined {
  const takes = (scheme: string) => operation.security.some((requirement) => scheme in requirement)
  const roles = operation['x-roles'] as string[] | undefined
  if (operation.security.length === 0) return { type: 'noauth' }
  if (takes('assignmentToken')) return bearer('assignmentToken')
  if (takes('apiKey') && roles?.includes('WORKER')) return apiKey
  return undefined
}

const apiKey: PostmanAuth = {
  type: 'apikey',
  apikey: [
    { key: 'key', value: 'X-API-Key', type: 'string' },
    { key: 'value', value: '{{apiKey}}', type: 'string' },
    { key: 'in', value: 'header', type: 'string' },
  ],
}
