import { execFile } from 'node:child_process'
import { defaultOptions, type GatewayOptions, gatewayDocument } from '../../scripts/apigateway/document.ts'
import type { ContractDocument } from '../../scripts/generate/document.ts'
import { contract } from '../contract/contract.ts'

export const userPoolArn = 'arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_Ab12Cd34E'

/** Of our contract, unless another is given. */
export const exported = (options: Partial<GatewayOptions> = {}, of: ContractDocument = contract) =>
  gatewayDocument(of, { ...defaultOptions, ...options })

/** A contract of one operation, with no more about it than the test says. */
export const contractOf = (path: string, method: string, operation: Record<string, unknown>): ContractDocument =>
  ({
    openapi: '3.0.3',
    info: { title: 'One operation', version: '1' },
    paths: {
      [path]: {
        [method]: { operationId: 'one', tags: [], security: [], responses: { 200: { description: '' } }, ...operation },
      },
    },
    components: { schemas: {} },
  }) as unknown as ContractDocument

/** Runs the script to its end. */
export const runExport = (...args: string[]) =>
  new Promise<{ code: number; output: string; errors: string }>((resolve) => {
    const limits = { maxBuffer: 64 * 1024 * 1024 }
    execFile(process.execPath, ['scripts/export-apigateway.ts', ...args], limits, (error, output, errors) =>
      resolve({ code: error ? Number(error.code) : 0, output, errors }),
    )
  })
