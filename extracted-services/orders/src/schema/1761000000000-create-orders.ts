import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLE = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci';

/**
 * Numbers count up by themselves, since either side may be the one that writes: whoever has the authority goes on where the
 * other stopped. Columns may be NULL where the shop's may. No foreign keys: the shop's rows come table by table.
 */
export class CreateOrders1761000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE customer_order (
      id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
      number VARCHAR(20) NULL,
      customer_id INT NULL,
      state VARCHAR(20) NULL,
      total_minor BIGINT NULL COMMENT 'gross, in the smallest unit of the currency',
      currency CHAR(3) NOT NULL,
      ship_to_street VARCHAR(120) NULL,
      ship_to_city VARCHAR(80) NULL,
      ship_to_zip VARCHAR(12) NULL,
      placed_at DATETIME NULL COMMENT 'UTC',
      withdrawn TINYINT NULL COMMENT 'anything but NULL: nobody sees it any more',
      KEY customer_order_number (number),
      KEY customer_order_customer (customer_id, placed_at)
    ) ${TABLE}`);
    await queryRunner.query(`CREATE TABLE order_item (
      id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
      order_id INT NULL,
      product_id INT NULL,
      title VARCHAR(190) NULL,
      quantity INT NULL,
      unit_price_minor BIGINT NULL COMMENT 'gross',
      tax_permille INT NULL,
      KEY order_item_order (order_id)
    ) ${TABLE}`);
    await queryRunner.query(`CREATE TABLE payment (
      id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
      order_id INT NULL,
      method VARCHAR(20) NULL,
      amount_minor BIGINT NULL,
      state VARCHAR(20) NULL,
      reference VARCHAR(60) NULL,
      created_at DATETIME NULL COMMENT 'UTC',
      KEY payment_order (order_id)
    ) ${TABLE}`);
    await queryRunner.query(`CREATE TABLE stock_level (
      product_id INT NOT NULL PRIMARY KEY,
      on_hand INT NULL,
      reserved INT NULL,
      modified_at DATETIME NULL COMMENT 'UTC'
    ) ${TABLE}`);
    await queryRunner.query(`CREATE TABLE stock_reservation (
      id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
      product_id INT NULL,
      cart_id INT NULL,
      order_id INT NULL,
      quantity INT NULL,
      created_at DATETIME NULL COMMENT 'UTC',
      released BOOLEAN NULL COMMENT 'NULL: no, as in the shop',
      KEY stock_reservation_product (product_id)
    ) ${TABLE}`);
    await queryRunner.query(`CREATE TABLE cart_claim (
      cart_item_id INT NOT NULL PRIMARY KEY,
      quantity INT NOT NULL COMMENT 'how many of it are in orders'
    ) ${TABLE}`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of [
      'cart_claim',
      'stock_reservation',
      'stock_level',
      'payment',
      'order_item',
      'customer_order',
    ])
      await queryRunner.query(`DROP TABLE ${table}`);
  }
}
