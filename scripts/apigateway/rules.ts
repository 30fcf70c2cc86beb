import { documentRules } from './rules/document-rules.ts'
import { gatewayResponseRules } from './rules/gateway-response-rules.ts'
import { lambdaRules } from './rules/lambda-rules.ts'
import { mockRules } from './rules/mock-rules.ts'
import { operationRules } from './rules/operation-rules.ts'
import { parameterRules } from './rules/parameter-rules.ts'
import { pathRules } from './rules/path-rules.ts'
import { type Fault, type Rule, record } from './rules/rule.ts'
import { schemaRules } from './rules/schema-rules.ts'
import { securityRules } from './rules/security-rules.ts'

/**
 * What the import into a REST API refuses or drops, and what deploys and then fails, each as a rule. From what AWS publishes:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html#api-gateway-known-issues-rest-apis
 */
export const rules: Rule[] = [
  ...documentRules,
  ...pathRules,
  ...operationRules,
  ...parameterRules,
  ...schemaRules,
  ...securityRules,
  ...lambdaRules,
  ...mockRules,
  ...gatewayResponseRules,
]

export interface BrokenRule extends Fault {
  rule: string
}

/** Every fault of a document, whoever made it. */
export const gatewayFaults = (document: unknown): BrokenRule[] =>
  rules.flatMap(({ name, find }) => [...find(record(document))].map((fault) => ({ rule: name, ...fault })))

export const faultLine = ({ pointer, message, rule }: BrokenRule): string => `${pointer || '/'} ${message} (${rule})`
