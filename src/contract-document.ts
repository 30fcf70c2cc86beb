/** The contract as it is published. Read when it is first asked for: few requests need it, and an instance on Lambda starts sooner. */
export async function contractDocument() {
  const { default: contract } = await import('../generated/openapi.json', { with: { type: 'json' } })
  return contract
}
