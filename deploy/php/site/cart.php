<?php
// The cart: $_SESSION['cart'] is an array of lines by the item's id.
require __DIR__ . '/shop.php';

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    only_ours();
    $id = (string) ($_POST['item'] ?? '');
    if (!isset(GOODS[$id])) {
        http_response_code(404);
        exit("There is no such item.\n");
    }
    $line = $_SESSION['cart'][$id] ?? GOODS[$id] + ['count' => 0];
    $line['count'] = min(99, $line['count'] + 1);
    $_SESSION['cart'][$id] = $line;
    go_to('/cart.php');
}

$content = '';
foreach ($_SESSION['cart'] ?? [] as $line) {
    $content .= "<li>{$line['count']} × " . text($line['name']) . ', ' . euro($line['count'] * $line['cents']) . "</li>\n";
}
page('Cart', $content === ''
    ? '<p>It is empty.</p>'
    : "<ul>\n$content</ul>\n<p><a href=\"/app/checkout\">To the checkout</a></p>");
