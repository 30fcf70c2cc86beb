import { readFile } from 'node:fs/promises'
import type { APIGatewayProxyEvent } from 'aws-lambda'
import { composeCore } from '../compose-core.ts'
import { lambdaGateway } from '../lambda/gateway.ts'
import { openInstance } from './lambda-instance.ts'

const { config, log, thaw, parts } = openInstance(process.env)
const readRedoc = () => readFile(new URL('redoc.standalone.js', import.meta.url), 'utf8')
const { app } = await composeCore({ ...parts, readRedoc })
const gateway = lambdaGateway({ fetch: app.fetch, publicUrl: config.PUBLIC_URL, thaw, log })

/** For API Gateway's buffered integrations. */
export const handler = gateway.buffered

/** For its streaming ones. The runtime has what that takes; elsewhere, whoever loads this has no use for it. */
export const streamHandler = globalThis.awslambda?.streamifyResponse?.((event: APIGatewayProxyEvent, output, context) =>
  gateway.streaming(event, output, context, awslambda.HttpResponseStream),
)
