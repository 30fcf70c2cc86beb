/** Stands in for a worker that hangs: it hears that it should end, and does not. Calls the service once that is so. */
process.on('SIGTERM', () => {})
process.once('disconnect', () => process.exit())
await fetch(process.env.FIELDSTATION_URL!)
