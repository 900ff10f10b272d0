<?php
// Brings sessions out of galleta's memory back into PHP's files, each at its visitor's next page, for a site that leaves the store in
// memory. PHP's settings, for as long as the old sessions may live (session.gc_maxlifetime after the change):
//
//     session.save_handler = files
//     session.save_path = "/var/lib/php/sessions"
//     auto_prepend_file = "/usr/share/galleta/back-to-files.php"
//
// A pool's env[GALLETA_PHP_SOCKET] names the socket if it is another than /run/galleta/php.sock, env[GALLETA_PHP_PREFIX] the
// prefix. The process that has the store goes on meanwhile. Without it, or when it has no such session, nothing happens.
(static function (): void {
    $id = $_COOKIE[session_name()] ?? '';
    $folder = preg_replace('/^.*;/', '', session_save_path());
    if (session_status() !== PHP_SESSION_NONE || !is_string($id) || !preg_match('/^[A-Za-z0-9,-]{1,250}$/D', $id)) {
        return;
    }
    $file = "$folder/sess_$id";
    if (file_exists($file)) {
        return;
    }
    try {
        $store = new Redis();
        $key = (getenv('GALLETA_PHP_PREFIX') ?: 'PHPREDIS_SESSION:') . $id;
        $data = @$store->connect(getenv('GALLETA_PHP_SOCKET') ?: '/run/galleta/php.sock') ? $store->get($key) : false;
        if ($data === false) {
            return;
        }
        $mask = umask(0177);
        $written = "$file." . bin2hex(random_bytes(8));
        // Another page of the visitor may be first: then it is that one's file that counts.
        if (@file_put_contents($written, $data) === strlen($data) && @link($written, $file)) {
            $store->del($key);
        }
        @unlink($written);
        umask($mask);
    } catch (RedisException) {
        // The store is gone: so are its sessions.
    }
})();
