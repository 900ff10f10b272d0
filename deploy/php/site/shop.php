<?php
// What both pages begin with: the visitor's session, the goods, and the frame. By itself it shows nothing.

// As php.ini could say it.
ini_set('session.use_strict_mode', '1');
ini_set('session.cookie_httponly', '1');
ini_set('session.cookie_samesite', 'Lax');
session_start();

const GOODS = [
    'mug' => ['name' => 'Mug', 'cents' => 1450],
    'bowl' => ['name' => 'Bowl, small', 'cents' => 1900],
    'jug' => ['name' => 'Jug', 'cents' => 3200],
];

function text(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

function euro(int $cents): string
{
    return sprintf('%d.%02d €', intdiv($cents, 100), $cents % 100);
}

/** The hidden field by which a form's request is known to come from a page of ours. */
function token(): string
{
    $_SESSION['token'] ??= bin2hex(random_bytes(16));
    return '<input type="hidden" name="token" value="' . $_SESSION['token'] . '">';
}

/** Sends the browser to a page once a form was dealt with; what it has begun by a form of somebody else ends here. */
function only_ours(): void
{
    if (!hash_equals($_SESSION['token'] ?? '', (string) ($_POST['token'] ?? '')) || !isset($_SESSION['token'])) {
        http_response_code(403);
        exit("This form is out of date. Load the page again.\n");
    }
}

function go_to(string $page): never
{
    header("Location: $page", true, 303);
    exit;
}

function page(string $title, string $content): void
{
    header('Cache-Control: private, no-store');
    $user = isset($_SESSION['user']) ? text($_SESSION['user']) : 'nobody is logged in';
    echo <<<HTML
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>$title</title>
        <link rel="stylesheet" href="/shop.css">
        <header><a href="/">Pots</a> <a href="/cart.php">Cart</a> <a href="/app/checkout">Checkout</a> <span>$user</span></header>
        <main>
        <h1>$title</h1>
        $content
        </main>
        </html>

        HTML;
}
