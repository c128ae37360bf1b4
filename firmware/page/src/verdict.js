// What the page says of the whole box: of several things the one that a person should see to first.

const isStopped = health => health.throttle === 'red' || health.throttle === 'black'

/** The word of verdict.*. health: /healthz. paused: somebody has paused sending. alerts: something beside the line needs a person. */
export function verdictOf(health, paused, alerts) {
  if (!health.storageOk) return 'storage'
  if (['blocked', 'paused', 'notLinked'].includes(health.link)) return health.link
  if (isStopped(health)) return 'stopped'
  if (health.link !== 'online') return health.link
  if (paused) return 'held'
  if (health.throttle !== 'green') return health.throttle
  if (!health.clockTrusted) return 'clock'
  return alerts ? 'alerts' : 'online'
}

export function toneOf(verdict, health) {
  if (verdict === 'online') return 'good'
  return ['storage', 'blocked', 'paused'].includes(verdict) || isStopped(health) ? 'bad' : 'warn'
}

/** What the light does, by the rule of board/led.cpp: it knows of no pause and of no alerts. */
export function lightOf(health) {
  if (!health.storageOk) return 'fault'
  if (isStopped(health) || health.link === 'blocked' || health.link === 'paused') return 'stopped'
  if (health.link === 'notLinked') return 'unlinked'
  if (health.link === 'starting') return 'starting'
  if (health.link === 'reconnecting') return health.clockTrusted ? 'searching' : 'clockless'
  if (health.throttle === 'yellow') return 'restricted'
  return health.throttle === 'amber' ? 'careful' : 'on'
}
