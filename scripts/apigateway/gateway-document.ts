/** What the import takes of OpenAPI 3.0, and what API Gateway adds to it. */
export interface GatewayDocument {
  openapi: string
  info: { title: string; version: string; description: string }
  paths: Record<string, Record<string, GatewayOperation>>
  components: { securitySchemes: Record<string, SecurityScheme> }
  'x-amazon-apigateway-binary-media-types'?: string[]
  'x-amazon-apigateway-minimum-compression-size': number
  'x-amazon-apigateway-gateway-responses': Record<string, GatewayResponse>
}

export interface GatewayOperation {
  operationId?: string
  parameters?: GatewayParameter[]
  responses: Record<string, { description: string; headers?: Record<string, { schema: { type: 'string' } }> }>
  security?: Record<string, string[]>[]
  'x-amazon-apigateway-integration': LambdaIntegration | MockIntegration
}

export interface GatewayParameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  schema: { type: 'string' }
}

export interface LambdaIntegration {
  type: 'aws_proxy'
  httpMethod: 'POST'
  uri: string
  passthroughBehavior: 'when_no_match'
  timeoutInMillis: number
  responseTransferMode?: 'STREAM'
}

export interface MockIntegration {
  type: 'mock'
  passthroughBehavior: 'when_no_match'
  contentHandling: 'CONVERT_TO_TEXT'
  requestTemplates: Record<string, string>
  responses: {
    default: {
      statusCode: string
      responseParameters: Record<string, string>
      responseTemplates?: Record<string, string>
    }
  }
}

export interface SecurityScheme {
  type: 'apiKey'
  name: string
  in: 'header'
  'x-amazon-apigateway-authtype': string
  'x-amazon-apigateway-authorizer': Record<string, unknown>
}

export interface GatewayResponse {
  statusCode?: string
  responseParameters: Record<string, string>
  responseTemplates: Record<string, string>
}
