<?php
// A page of PHP with a session, for tests of stores.
//
//     php session.php SAVE_PATH ID count TIMES    adds one to $_SESSION["php"] and to $_SESSION["both"], TIMES times
//     php session.php SAVE_PATH ID count-name TIMES NAME      adds one to $_SESSION[NAME], TIMES times
//     php session.php SAVE_PATH ID hold           says "held" once it has the session; then it does what lines of its
//                                                 input say: "set NAME VALUE", "destroy"; and ends with its input
//     php session.php SAVE_PATH ID dump           the session as serialize() writes it
//
// A SAVE_PATH of unix:… is for PHP's redis handler, with its locks unless PHP_LOCKS=0, and with its own idea of how often to ask
// for one if PHP_LOCKS=default.
[, $path, $id, $task] = $argv;
foreach (['use_cookies' => '0', 'cache_limiter' => '', 'gc_probability' => '0', 'save_path' => $path] as $name => $value) {
    ini_set("session.$name", $value);
}
if (str_starts_with($path, 'unix:')) {
    ini_set('session.save_handler', 'redis');
    if (getenv('PHP_LOCKS') !== 'default') {
        ini_set('redis.session.lock_expire', '60');
        // Until it is there.
        ini_set('redis.session.lock_retries', '-1');
        ini_set('redis.session.lock_wait_time', '2000');
    }
    ini_set('redis.session.locking_enabled', getenv('PHP_LOCKS') === '0' ? '0' : '1');
}
session_id($id);
switch ($task) {
    case 'count':
        for ($n = (int) $argv[4]; $n > 0; $n--) {
            session_start();
            $_SESSION['php'] = ($_SESSION['php'] ?? 0) + 1;
            $_SESSION['both'] = ($_SESSION['both'] ?? 0) + 1;
            session_write_close();
        }
        break;
    case 'count-name':
        for ($n = (int) $argv[4]; $n > 0; $n--) {
            session_start();
            $_SESSION[$argv[5]] = ($_SESSION[$argv[5]] ?? 0) + 1;
            session_write_close();
        }
        break;
    case 'hold':
        session_start();
        fwrite(STDOUT, "held\n");
        while (($line = fgets(STDIN)) !== false) {
            $words = explode(' ', trim($line), 3);
            if ($words[0] == 'set') $_SESSION[$words[1]] = $words[2];
            if ($words[0] == 'destroy') session_destroy();
        }
        break;
    case 'dump':
        session_start(['read_and_close' => true]);
        echo serialize($_SESSION);
}
