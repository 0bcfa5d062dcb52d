# Does with the Ruby SDK what it reads, line by line: see ../README.md.
require 'bigdecimal'
require 'segment/analytics'
require 'uri'

TEXT = "Größe 日本 😀 \u2028 </script> \"quoted\"".freeze
WHEN = Time.new(2025, 3, 30, 3, 30, Rational(123_456_789, 1_000_000_000), '+02:00')

def numbers
  {
    snowflake: 1_541_815_603_606_036_480,
    aboveSafe: 9_007_199_254_740_993,
    maxLong: 2**63 - 1,
    maxUnsigned: 2**64 - 1,
    tenMillions: 1.2345678e7,
    small: 1e-7,
    large: 1e21,
    negativeZero: -0.0,
    third: 1.0 / 3,
    decimal: BigDecimal('12345678901234567890.123456789')
  }
end

def values(client)
  client.track(user_id: 'u1', event: 'Numbers', properties: numbers)
  client.track(
    user_id: 'u1',
    event: TEXT,
    message_id: 'ruby-old-1',
    timestamp: WHEN,
    properties: { text: TEXT, when: WHEN, nested: { when: WHEN } },
    context: { ip: '203.0.113.77', tenant: 1_541_815_603_606_036_480 },
    integrations: { Mixpanel: true }
  )
  client.identify(user_id: 'u1', traits: numbers)
  client.group(user_id: 'u1', group_id: 'g1', traits: { employees: 1.2345678e7 })
  client.page(anonymous_id: 'a1', name: 'Home', properties: { width: 1e-7 })
  client.screen(anonymous_id: 'a1', name: 'Main', properties: { nested: [numbers] })
  client.alias(user_id: 'u1', previous_id: 'a1')
end

# It speaks https only: `ssl: false` counts as not given.
url = URI(ARGV[0])
client = Segment::Analytics.new(
  write_key: ARGV[1],
  host: url.host,
  port: url.port,
  on_error: ->(status, error) { puts "error: #{status} #{error}" }
)
$stdout.sync = true
$stdin.each_line(chomp: true) do |line|
  case line
  when 'values' then values(client)
  when /\Atrack (.*)/ then client.track(user_id: 'u1', event: Regexp.last_match(1))
  when 'flush' then client.flush
  else raise ArgumentError, "Unknown line: #{line}"
  end
end
client.flush
