<?php
// A session as shops have them, and what PHP takes to read and to write it; for deploy/bench php-formats.
//
//     php session.php HANDLER FILE      writes the session to FILE
//     php session.php HANDLER FILE N    microseconds of session_decode, and of session_encode, over N of each
[, $handler, $file] = $argv;
ini_set('session.use_cookies', '0');
ini_set('session.cache_limiter', '');
ini_set('session.serialize_handler', $handler);
ini_set('session.save_path', sys_get_temp_dir());
ini_set('session.gc_probability', '0');
session_start();
if (!isset($argv[3])) {
    $_SESSION = [
        'user_id' => 4711, 'user' => 'ada@example.org', 'role' => 'customer', 'csrf' => str_repeat('0123456789abcdef', 4),
        'last_seen' => 1764403200.25, 'remember' => true, 'locale' => null,
        'flash' => ['notice' => ['Your address has been changed.'], 'error' => []],
        'address' => ['name' => 'Ada Lovelace', 'street' => "St James's Square 12", 'city' => 'London', 'zip' => 'SW1Y 4JH'],
        'seen' => range(100, 140),
        'cart' => [],
    ];
    foreach (range(1, 10) as $n) {
        $_SESSION['cart']["sku-$n"] = ['name' => "Article number $n, glazed", 'cents' => 1450 + $n, 'count' => $n % 3 + 1, 'gift' => $n == 4];
    }
    file_put_contents($file, session_encode());
} else {
    $bytes = file_get_contents($file);
    foreach (['decode', 'encode'] as $what) {
        $start = hrtime(true);
        if ($what == 'decode') {
            for ($n = $argv[3]; $n > 0; $n--) session_decode($bytes);
        } else {
            for ($n = $argv[3]; $n > 0; $n--) session_encode();
        }
        printf("%s%.2f", $what == 'decode' ? '' : ' ', (hrtime(true) - $start) / 1000 / $argv[3]);
    }
    echo "\n";
}
session_abort();
