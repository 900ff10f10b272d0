<?php
// Writes random sessions as igbinary does, and what PHP makes of them, for IgbinaryTests.
//
//     php igbinary.php SEED COUNT
//
// A line is "BYTES TEXT", both in hex; TEXT is serialize()'s of what igbinary reads.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);
require __DIR__ . '/values.php';

[, $seed, $count] = $argv;
mt_srand((int) $seed);
ini_set('igbinary.compact_strings', $seed % 2 ? '1' : '0');
for ($document = 0; $document < $count; $document++) {
    $pool = [];
    $session = [];
    for ($n = mt_rand(0, 6); $n > 0; $n--) $session['n' . mt_rand(0, 9)] = value(0, $pool);
    // The same array in two places, by value.
    if ($session && !mt_rand(0, 2)) $session['copy'] = $session[array_rand($session)];
    share($session, fn() => 'n' . mt_rand(0, 9));
    unset($pool);
    $bytes = igbinary_serialize($session);
    echo bin2hex($bytes), ' ', bin2hex(serialize(igbinary_unserialize($bytes))), "\n";
}
