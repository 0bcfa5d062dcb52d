type Env = Readonly<Record<string, string | undefined>>

/** The URL in `HTTPS_PROXY`. Without a scheme it is one that speaks http, as for curl. */
export function environmentProxy(env: Env): string | undefined {
  const given = env['https_proxy'] || env['HTTPS_PROXY']
  if (!given) return undefined
  return given.includes('://') ? given : `http://${given}`
}

/** What is wrong with `HTTPS_PROXY`: its name and the fix. SECURITY: without its value, which may hold a password. */
export function environmentProxyProblem(env: Env): string | undefined {
  const proxy = environmentProxy(env)
  if (proxy === undefined || (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)))
    return undefined
  return (
    'HTTPS_PROXY: is not the URL of a proxy that speaks http or https; give one, such as ' +
    'http://proxy.example.com:3128, or set httpsProxy to false'
  )
}
