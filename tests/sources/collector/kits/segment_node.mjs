// usage: node segment_node.mjs ADDRESS KEY
import { createRequire } from 'node:module'
const { Analytics } = createRequire(process.cwd() + '/')('@segment/analytics-node')
const [host, writeKey] = process.argv.slice(2)
const kit = new Analytics({ host, writeKey, flushAt: 15, flushInterval: 100 })
kit.on('error', (error) => console.error('kit: ' + error.code))
kit.identify({ userId: 'u1', traits: { email: 'a@example.com' } })
kit.track({ userId: 'u1', event: 'Checkout Started', properties: { value: 9.5 } })
kit.page({ userId: 'u1', name: 'Home' })
kit.screen({ userId: 'u1', name: 'Home' })
kit.group({ userId: 'u1', groupId: 'g1' })
kit.alias({ userId: 'u1', previousId: 'a1' })
await kit.closeAndFlush({ timeout: 40000 })
