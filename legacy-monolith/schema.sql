-- The shop's one schema, grown since 2011. Foreign keys were "added later".
-- All DATETIME columns hold local time (SHOP_TIMEZONE); the application computes it, never the server.

CREATE TABLE category (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  parent_id INT NULL,
  name VARCHAR(120) NULL,
  slug VARCHAR(120) NULL,
  sort_order INT NULL,
  deleted TINYINT NULL,
  KEY slug (slug)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE product (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  category_id INT NULL,
  sku VARCHAR(40) NULL,
  name VARCHAR(190) NULL,
  description TEXT NULL,
  manufacturer VARCHAR(80) CHARACTER SET latin1 NULL,
  price DECIMAL(10,2) NULL COMMENT 'net',
  discount_pct DECIMAL(4,1) NULL,
  tax_pct DECIMAL(4,1) NULL,
  tags VARCHAR(255) NULL COMMENT 'comma separated',
  status ENUM('draft','active','sold_out','gone') NULL,
  is_visible TINYINT(1) NULL,
  is_featured TINYINT(1) NULL,
  image_file VARCHAR(190) NULL,
  created DATETIME NULL,
  modified DATETIME NULL,
  deleted_at DATETIME NULL,
  KEY category_id (category_id),
  KEY sku (sku)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE review (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id INT NULL,
  customer_id INT NULL,
  author_name VARCHAR(120) NULL,
  rating TINYINT NULL,
  title VARCHAR(190) NULL,
  body TEXT NULL,
  is_approved TINYINT(1) NULL,
  created DATETIME NULL,
  deleted TINYINT NULL,
  KEY product_id (product_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE product_file (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id INT NULL,
  file_name VARCHAR(190) NULL,
  mime VARCHAR(120) NULL,
  bytes INT NULL,
  created DATETIME NULL,
  KEY product_id (product_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE stock (
  product_id INT NOT NULL PRIMARY KEY,
  on_hand INT NULL,
  reserved INT NULL,
  modified DATETIME NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE stock_reservation (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id INT NULL,
  cart_id INT NULL,
  order_id INT NULL,
  qty INT NULL,
  created DATETIME NULL,
  released TINYINT NULL,
  KEY product_id (product_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE customer (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  email VARCHAR(190) NULL,
  password_hash VARCHAR(190) NULL,
  first_name VARCHAR(80) NULL,
  last_name VARCHAR(80) NULL,
  street VARCHAR(120) NULL,
  city VARCHAR(80) NULL,
  zip VARCHAR(12) NULL,
  newsletter TINYINT NULL,
  is_admin TINYINT NULL,
  created DATETIME NULL,
  deleted TINYINT NULL,
  KEY email (email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE session (
  sid CHAR(64) NOT NULL PRIMARY KEY,
  customer_id INT NULL,
  csrf CHAR(32) NULL,
  data TEXT NULL,
  expires DATETIME NULL,
  KEY expires (expires)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE cart (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  sid CHAR(64) NULL,
  customer_id INT NULL,
  created DATETIME NULL,
  modified DATETIME NULL,
  KEY sid (sid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE cart_item (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  cart_id INT NULL,
  product_id INT NULL,
  qty INT NULL,
  price DECIMAL(10,2) NULL COMMENT 'gross, as shown when it was added',
  KEY cart_id (cart_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE orders (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_no VARCHAR(20) NULL,
  customer_id INT NULL,
  status ENUM('new','paid','shipped','done','cancelled') NULL,
  total DECIMAL(10,2) NULL,
  street VARCHAR(120) NULL,
  city VARCHAR(80) NULL,
  zip VARCHAR(12) NULL,
  placed DATETIME NULL,
  deleted TINYINT NULL,
  KEY order_no (order_no),
  KEY customer_id (customer_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE order_line (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_id INT NULL,
  product_id INT NULL,
  name VARCHAR(190) NULL,
  qty INT NULL,
  price DECIMAL(10,2) NULL COMMENT 'gross',
  tax_pct DECIMAL(4,1) NULL,
  KEY order_id (order_id),
  CONSTRAINT order_line_order FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE payment (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_id INT NULL,
  method ENUM('invoice','card','paypal','prepaid') NULL,
  amount DECIMAL(10,2) NULL,
  status ENUM('open','paid','failed','refunded') NULL,
  ref VARCHAR(60) NULL,
  created DATETIME NULL,
  KEY order_id (order_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE job_run (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(60) NULL,
  started DATETIME NULL,
  finished DATETIME NULL,
  note VARCHAR(255) NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
