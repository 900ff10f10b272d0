<?php
// Writes random sessions, changes to them, and what PHP makes of each change, for GeneratedSessionTests.
//
//     php sessions.php HANDLER SEED COUNT
//
// A line "session BYTES" begins a session; each "set NAME VALUE RESULT" or "unset NAME RESULT" changes it further. All
// in hex; VALUE is serialize()'s.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);

require __DIR__ . '/values.php';

function name(string $handler)
{
    $names = ['user', 'cart', 'flash', '_token', 'a b', '!x', "\xff\x80", 'ключ', '', '08', 'n1', 'n2', 'n3', 'n4'];
    if ($handler == 'php_serialize') array_push($names, 5, -7, 'a|b');
    return $names[array_rand($names)];
}

[, $handler, $seed, $count] = $argv;
ini_set('session.use_cookies', '0');
ini_set('session.cache_limiter', '');
ini_set('session.serialize_handler', $handler);
ini_set('session.save_path', sys_get_temp_dir());
ini_set('session.gc_probability', '0');
mt_srand((int) $seed);
session_start();
$lines = [];
for ($document = 0; $document < $count; $document++) {
    session_unset();
    $pool = [];
    for ($n = mt_rand(0, 6); $n > 0; $n--) $_SESSION[name($handler)] = value(0, $pool);
    share($_SESSION, fn() => name($handler));
    unset($pool);
    $bytes = session_encode();
    session_unset();
    if (!session_decode($bytes)) continue;
    // What PHP writes of what it read is not always what it read: a reference that came twice in a copied array.
    $again = session_encode();
    session_unset();
    session_decode($again);
    if (session_encode() !== $again) continue;
    $lines[] = 'session ' . bin2hex($again);
    for ($n = mt_rand(1, 6); $n > 0; $n--) {
        $name = $_SESSION && mt_rand(0, 2) ? array_rand($_SESSION) : name($handler);
        if (mt_rand(0, 2)) {
            $pool = [];
            $text = serialize(value(1, $pool));
            unset($pool);
            $_SESSION[$name] = unserialize($text);
            $lines[] = 'set ' . bin2hex($name) . ' ' . bin2hex($text) . ' ' . bin2hex((string) session_encode());
        } else {
            unset($_SESSION[$name]);
            $lines[] = 'unset ' . bin2hex($name) . ' ' . bin2hex((string) session_encode());
        }
    }
}
session_destroy();
echo implode("\n", $lines), "\n";
