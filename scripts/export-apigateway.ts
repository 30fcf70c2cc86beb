/**
 * Writes the contract as API Gateway imports it into a REST API: `npm run export:apigateway`, with `--help` for the options. What it would
 * refuse or drop is not written, and told. scripts/apigateway/README.md is the way from here to an API that answers.
 */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { gatewayDocument } from './apigateway/document.ts'
import type { GatewayDocument } from './apigateway/gateway-document.ts'
import { help, readCommand } from './apigateway/options.ts'
import { faultLine, gatewayFaults } from './apigateway/rules.ts'
import type { ContractDocument } from './generate/document.ts'
import { runScript, UsageError } from './usage.ts'
import { writeOutput } from './write-output.ts'

await runScript(async () => {
  const command = readCommand(process.argv.slice(2))
  if (command.kind === 'help') process.stdout.write(help)
  if (command.kind === 'check') check(command.file, await readDocument(command.file))
  if (command.kind === 'export') {
    const contract = JSON.parse(await readFile('generated/openapi.json', 'utf8')) as ContractDocument
    const document = gatewayDocument(contract, command.options)
    if (isSound(document)) await writeOutput(command.out, `${JSON.stringify(document, null, 2)}\n`, summary(document))
  }
})

function check(file: string, document: unknown) {
  if (isSound(document)) process.stdout.write(`${file}: nothing that the import would refuse or drop.\n`)
}

/** Tells every fault there is. */
function isSound(document: unknown): boolean {
  const faults = gatewayFaults(document)
  for (const fault of faults) process.stderr.write(`${faultLine(fault)}\n`)
  if (faults.length === 0) return true
  process.stderr.write(`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}.\n`)
  process.exitCode = 1
  return false
}

async function readDocument(file: string): Promise<unknown> {
  try {
    // JSON is YAML too.
    return parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message.split('\n')[0]}`)
  }
}

function summary({ paths }: GatewayDocument): string {
  const integrations = Object.values(paths)
    .flatMap((item) => Object.values(item))
    .map((operation) => operation['x-amazon-apigateway-integration'])
  const lambdas = integrations.filter((integration) => integration.type === 'aws_proxy')
  const streamed = lambdas.filter((integration) => integration.responseTransferMode === 'STREAM')
  const preflights = integrations.length - lambdas.length
  return `${lambdas.length} operations (${streamed.length} streamed), ${preflights} preflights`
}
