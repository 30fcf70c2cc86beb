import type { APIGatewayProxyEvent } from 'aws-lambda'
import { lambdaGateway } from '../lambda/gateway.ts'
import { openInstance } from './lambda-instance.ts'

const { config, log, thaw, service } = await openInstance(process.env)
const gateway = lambdaGateway({ fetch: service.app.fetch, publicUrl: config.PUBLIC_URL, thaw, log })

/** For API Gateway's buffered integrations. */
export const handler = gateway.buffered

/** For its streaming ones. The runtime has what that takes; elsewhere, whoever loads this has no use for it. */
export const streamHandler = globalThis.awslambda?.streamifyResponse?.((event: APIGatewayProxyEvent, output, context) =>
  gateway.streaming(event, output, context, awslambda.HttpResponseStream),
)
