// usage: node rudder_node.mjs ADDRESS KEY
import { createRequire } from 'node:module'
const Rudder = createRequire(process.cwd() + '/')('@rudderstack/rudder-sdk-node')
const [dataPlaneUrl, writeKey] = process.argv.slice(2)
const kit = new (Rudder.default ?? Rudder)(writeKey, { dataPlaneUrl, gzip: true, flushAt: 1, flushInterval: 100 })
kit.identify({ userId: 'u1', traits: { email: 'a@example.com' } })
kit.track({ userId: 'u1', event: 'Checkout Started', properties: { value: 9.5 } })
kit.page({ userId: 'u1', name: 'Home' })
kit.screen({ userId: 'u1', name: 'Home' })
kit.group({ userId: 'u1', groupId: 'g1' })
kit.alias({ userId: 'u1', previousId: 'a1' })
await kit.flush()
