/** How Redoc shows the contract. The fonts are those that the reader's system has. */
const sans = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"
const mono = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"

export const redocOptions = {
  // The samples come first, then the body of the request by itself.
  payloadSampleIdx: 2,
  showExtensions: ['x-scopes', 'x-roles'],
  expandResponses: '200,201',
  jsonSamplesExpandLevel: 3,
  schemasExpansionLevel: 1,
  generatedSamplesMaxDepth: 6,
  hideSchemaPattern: true,
  downloadFileName: 'fieldstation-openapi.json',
  minCharacterLengthToInitSearch: 2,
  theme: {
    spacing: { sectionHorizontal: 32, sectionVertical: 24 },
    colors: {
      primary: { main: '#1b6b5f' },
      success: { main: '#2e7d4f' },
      text: { primary: '#22312e', secondary: '#53645f' },
      http: { get: '#2e7d4f', post: '#22659c', put: '#94621a', patch: '#7a5a9e', delete: '#b1413a' },
    },
    typography: {
      fontSize: '15px',
      lineHeight: '1.6',
      fontFamily: sans,
      headings: { fontFamily: sans, fontWeight: '600' },
      code: { fontFamily: mono, fontSize: '12.5px', color: '#1b5a50', backgroundColor: 'rgba(27, 107, 95, 0.07)' },
      links: { color: '#1b6b5f', visited: '#1b6b5f', hover: '#124a42' },
    },
    sidebar: { width: '260px', backgroundColor: '#f4f7f5', textColor: '#2b3c38' },
    rightPanel: { backgroundColor: '#1e2f2c', width: '44%' },
    codeBlock: { backgroundColor: '#16231f' },
    fab: { backgroundColor: '#f4f7f5', color: '#1b6b5f' },
  },
}
