<?php

// Does with the PHP SDK what it reads, line by line: see ../README.md.

declare(strict_types=1);

require getenv('PHP_AUTOLOAD');

use Segment\Client;

const TEXT = "Größe 日本 😀 \u{2028} </script> \"quoted\"";

function numbers(): array
{
    return [
        'snowflake' => 1541815603606036480,
        'aboveSafe' => 9007199254740993,
        'maxLong' => PHP_INT_MAX,
        // More than an integer holds is a float.
        'maxUnsigned' => 18446744073709551615,
        'tenMillions' => 1.2345678e7,
        'small' => 1e-7,
        'large' => 1e21,
        'negativeZero' => -0.0,
        'third' => 1 / 3,
    ];
}

function values(Client $client): void
{
    $client->track(['userId' => 'u1', 'event' => 'Numbers', 'properties' => numbers()]);
    $client->track([
        'userId' => 'u1',
        'event' => TEXT,
        'messageId' => 'php-old-1',
        'timestamp' => strtotime('2025-03-30T03:30:00+02:00'),
        'properties' => ['text' => TEXT, 'when' => new DateTime('2025-03-30T03:30:00.123456+02:00')],
        'context' => ['ip' => '203.0.113.77', 'tenant' => 1541815603606036480],
        'integrations' => ['Mixpanel' => true],
    ]);
    $client->identify(['userId' => 'u1', 'traits' => numbers()]);
    $client->group(['userId' => 'u1', 'groupId' => 'g1', 'traits' => ['employees' => 1.2345678e7]]);
    $client->page(['anonymousId' => 'a1', 'name' => 'Home', 'properties' => ['width' => 1e-7]]);
    $client->screen(['anonymousId' => 'a1', 'name' => 'Main', 'properties' => ['nested' => [numbers()]]]);
    $client->alias(['userId' => 'u1', 'previousId' => 'a1']);
}

[, $url, $writeKey] = $argv;
$client = new Client($writeKey, [
    // It speaks https only.
    'host' => preg_replace('#^https://#', '', $url),
    'consumer' => $argv[3] ?? 'lib_curl',
    'compress_request' => ($argv[4] ?? 'plain') === 'gzip',
    'error_handler' => static function ($code, $message): void {
        echo "error: $code $message\n";
    },
]);
while (($line = fgets(STDIN)) !== false) {
    $line = rtrim($line, "\n");
    if ($line === 'values') {
        values($client);
    } elseif (str_starts_with($line, 'track ')) {
        $client->track(['userId' => 'u1', 'event' => substr($line, 6)]);
    } elseif ($line === 'flush') {
        $client->flush();
    } else {
        throw new InvalidArgumentException("Unknown line: $line");
    }
}
$client->flush();
