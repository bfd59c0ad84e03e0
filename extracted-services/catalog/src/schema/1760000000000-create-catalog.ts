import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLE = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci';

/**
 * Ids come from the shop, so no column counts by itself. The collation is the shop's: searching and sorting must see
 * the same letters as equal. No foreign keys: the shop's rows come table by table, and it has none either.
 */
export class CreateCatalog1760000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE category (
      id INT NOT NULL PRIMARY KEY,
      parent_id INT NULL,
      name VARCHAR(120) NULL,
      slug VARCHAR(120) NULL,
      position INT NULL,
      deleted BOOLEAN NOT NULL,
      KEY category_slug (slug)
    ) ${TABLE}`);
    await queryRunner.query(`CREATE TABLE product (
      id INT NOT NULL PRIMARY KEY,
      category_id INT NULL,
      sku VARCHAR(40) NULL,
      title VARCHAR(190) NULL,
      description TEXT NULL,
      manufacturer VARCHAR(80) NULL,
      price_minor BIGINT NULL COMMENT 'net, in the smallest unit of the currency',
      currency CHAR(3) NOT NULL,
      discount_pct DECIMAL(4,1) NULL,
      tax_pct DECIMAL(4,1) NULL,
      status VARCHAR(20) NULL,
      visible BOOLEAN NOT NULL,
      featured BOOLEAN NOT NULL,
      image_file VARCHAR(190) NULL,
      created_at DATETIME NULL COMMENT 'UTC',
      modified_at DATETIME NULL COMMENT 'UTC',
      deleted_at DATETIME NULL COMMENT 'UTC',
      KEY product_category (category_id),
      KEY product_sku (sku),
      KEY product_featured (featured)
    ) ${TABLE}`);
    await queryRunner.query(`CREATE TABLE product_tag (
      product_id INT NOT NULL,
      position INT NOT NULL,
      tag VARCHAR(255) NOT NULL,
      PRIMARY KEY (product_id, position),
      KEY product_tag_tag (tag)
    ) ${TABLE}`);
    await queryRunner.query(`CREATE TABLE review (
      id INT NOT NULL PRIMARY KEY,
      product_id INT NULL,
      customer_id INT NULL,
      author_name VARCHAR(120) NULL,
      rating TINYINT NULL,
      title VARCHAR(190) NULL,
      body TEXT NULL,
      approved BOOLEAN NOT NULL,
      created_at DATETIME NULL COMMENT 'UTC',
      deleted BOOLEAN NOT NULL,
      KEY review_product (product_id, created_at)
    ) ${TABLE}`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['review', 'product_tag', 'product', 'category'])
      await queryRunner.query(`DROP TABLE ${table}`);
  }
}
