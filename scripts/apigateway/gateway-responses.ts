import { AppError, type ProblemCode, problems } from '../../src/errors.ts'
import { problemBody } from '../../src/http/problem.ts'
import type { GatewayResponse } from './gateway-document.ts'

interface Answer {
  code: ProblemCode
  /** Where it is not that of the code. */
  status?: number
  detail: string
  headers?: Record<string, string>
}

const nothingThere: Answer = { code: 'not_found', detail: 'There is nothing here, or not by this method.' }
const ourFault: Answer = { code: 'internal', detail: 'Something went wrong on our side.' }
const signIn: Answer = {
  code: 'unauthenticated',
  detail: 'The token or API key is missing or not valid, or not any more.',
  headers: { 'WWW-Authenticate': 'Bearer' },
}
const misfit: Answer = { code: 'invalid_request', detail: 'The request does not fit the contract.' }
const noPassage: Answer = { code: 'forbidden', detail: 'The gateway lets nobody with these credentials pass.' }
// No 503, after which the contract has the caller send it again: it may have been done.
const away: Answer = {
  code: 'service_unavailable',
  status: 504,
  detail: 'The service did not answer in time. Whether it did what it was asked for is not known.',
}
const tooMany: Answer = {
  code: 'service_unavailable',
  detail: 'More requests arrive than the gateway lets through.',
  headers: { 'Retry-After': '1' },
}

/** What the gateway answers by itself. https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html */
const answers: Record<string, Answer> = {
  ACCESS_DENIED: noPassage,
  API_CONFIGURATION_ERROR: ourFault,
  AUTHORIZER_CONFIGURATION_ERROR: ourFault,
  AUTHORIZER_FAILURE: ourFault,
  BAD_REQUEST_BODY: misfit,
  BAD_REQUEST_PARAMETERS: misfit,
  EXPIRED_TOKEN: signIn,
  INTEGRATION_FAILURE: away,
  INTEGRATION_TIMEOUT: away,
  INVALID_API_KEY: noPassage,
  // Nothing here is signed: that is how the gateway reads a bearer token that is sent to a path it does not know.
  INVALID_SIGNATURE: nothingThere,
  MISSING_AUTHENTICATION_TOKEN: nothingThere,
  QUOTA_EXCEEDED: tooMany,
  REQUEST_TOO_LARGE: { code: 'payload_too_large', detail: 'The request is larger than the gateway takes.' },
  RESOURCE_NOT_FOUND: nothingThere,
  THROTTLED: tooMany,
  UNAUTHORIZED: signIn,
  UNSUPPORTED_MEDIA_TYPE: { code: 'unsupported_media_type', detail: 'Send the body as application/json.' },
  WAF_FILTERED: noPassage,
}

/** Every answer of the gateway itself, as the problem that the service would have answered. */
export function gatewayResponses(origins: string[]): Record<string, GatewayResponse> {
  // No template chooses among origins here. Nothing in these answers is anybody's secret.
  const origin = origins.length === 1 ? origins[0]! : '*'
  const known = Object.entries(answers).map(([type, answer]) => [
    type,
    { statusCode: String(statusOf(answer)), ...problem(answer, origin) },
  ])
  return {
    ...Object.fromEntries(known),
    // Their status would become that of all others. It is the gateway's, and the body's that of its class.
    DEFAULT_4XX: problem(misfit, origin),
    DEFAULT_5XX: problem(ourFault, origin),
  }
}

const statusOf = ({ code, status }: Answer) => status ?? problems[code].status

function problem(answer: Answer, origin: string): GatewayResponse {
  const { code, detail, headers } = answer
  // The path is the client's own text, and the gateway would put it in as it is.
  const unnamed = { instance: undefined, status: statusOf(answer) }
  const body = { ...problemBody(new AppError(code, detail), '', '$context.requestId'), ...unnamed }
  const sent = { 'Content-Type': 'application/problem+json', 'Access-Control-Allow-Origin': origin, ...headers }
  return {
    responseParameters: Object.fromEntries(
      Object.entries(sent).map(([name, value]) => [`gatewayresponse.header.${name}`, `'${value}'`]),
    ),
    responseTemplates: { 'application/json': JSON.stringify(body) },
  }
}
