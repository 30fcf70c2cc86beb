import { curlSample } from './code-samples-curl.ts'
import { exampleRequest } from './code-samples-request.ts'
import { sdkSample } from './code-samples-sdk.ts'
import { type ContractDocument, operationsOf } from './document.ts'

/** As documentation pages take it: `lang` is for the highlighter, `label` for people. */
export interface CodeSample {
  lang: string
  label: string
  source: string
}

/** The document with `x-codeSamples`: how to call each operation with the SDK, where that has it, and with curl. */
export function withCodeSamples(document: ContractDocument): ContractDocument {
  const copy = structuredClone(document)
  for (const { path, method, operation } of operationsOf(copy)) {
    const request = exampleRequest(copy, path, method, operation)
    const sdk = sdkSample(request, operation['x-sdk'] as string | undefined)
    operation['x-codeSamples'] = [
      // Highlighters know JavaScript better than TypeScript, and the samples are both.
      ...(sdk ? [{ lang: 'JavaScript', label: 'TypeScript SDK', source: sdk }] : []),
      { lang: 'Shell', label: 'curl', source: curlSample(request) },
    ] satisfies CodeSample[]
  }
  return copy
}
