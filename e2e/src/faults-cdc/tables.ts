/** Ids from here on are of rows that the target or the mapping refuses at first; their amount is 0, and they have no unique value. */
export const FIRST_POISONED = 900_000;

export const SOURCE_TABLES = `
  CREATE TABLE account (id INT PRIMARY KEY, code VARCHAR(40) NULL UNIQUE, name VARCHAR(60) NOT NULL, state VARCHAR(10) NOT NULL, tags VARCHAR(200) NULL, price DECIMAL(12,2) NULL,
    opened DATETIME NULL, is_open TINYINT(1) NULL, amount BIGINT NOT NULL, version BIGINT NOT NULL, note TEXT NULL);
  CREATE TABLE vault (region VARCHAR(10), slot INT, amount BIGINT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (region, slot));
  CREATE TABLE entry (id BIGINT AUTO_INCREMENT PRIMARY KEY, account_id INT NOT NULL, writer INT NOT NULL, serial INT NOT NULL, pad TEXT NOT NULL);`;

/** The mapped tables, and what their triggers keep: how often a posting came, and rows whose version did not grow. */
export const targetTables = (control: string): string => `
  CREATE TABLE holder (holder_id INT PRIMARY KEY, sku VARCHAR(40) NULL UNIQUE, title VARCHAR(60) NOT NULL, status ENUM('active','blocked','closed') NOT NULL, price_minor BIGINT NULL,
    opened_at DATETIME NULL, is_open BOOLEAN NOT NULL, origin VARCHAR(10) NOT NULL, amount BIGINT NOT NULL, version BIGINT NOT NULL, note TEXT NULL,
    own VARCHAR(20) NOT NULL DEFAULT 'kept', CONSTRAINT no_poison CHECK (title <> 'poison'));
  CREATE TABLE holder_tag (holder_id INT, position INT, tag VARCHAR(60), PRIMARY KEY (holder_id, position), FOREIGN KEY (holder_id) REFERENCES holder (holder_id));
  CREATE TABLE safe (slot INT, area VARCHAR(10), amount BIGINT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (area, slot));
  CREATE TABLE posting (id BIGINT PRIMARY KEY, holder_id INT NOT NULL, writer INT NOT NULL, serial INT NOT NULL, pad TEXT NOT NULL);
  CREATE TABLE came (id BIGINT PRIMARY KEY, times INT NOT NULL);
  CREATE TABLE not_newer (nr BIGINT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(200) NOT NULL);
  CREATE TRIGGER posting_came AFTER INSERT ON posting FOR EACH ROW INSERT INTO came VALUES (NEW.id, 1) ON DUPLICATE KEY UPDATE times = times + 1;
  CREATE TRIGGER posting_again AFTER UPDATE ON posting FOR EACH ROW
    INSERT INTO not_newer (what) SELECT CONCAT('posting ', NEW.id, ' is written again') FROM DUAL WHERE ${isCopied(control)};
  CREATE TRIGGER holder_newer AFTER UPDATE ON holder FOR EACH ROW
    INSERT INTO not_newer (what) SELECT CONCAT('holder ', NEW.holder_id, ' goes from version ', OLD.version, ' to ', NEW.version) FROM DUAL
    WHERE OLD.holder_id < ${FIRST_POISONED} AND NEW.version <= OLD.version AND (NEW.version < OLD.version OR ${isCopied(control)});
  CREATE TRIGGER safe_newer AFTER UPDATE ON safe FOR EACH ROW
    INSERT INTO not_newer (what) SELECT CONCAT('safe ', NEW.area, ' ', NEW.slot, ' goes from version ', OLD.version, ' to ', NEW.version) FROM DUAL
    WHERE NEW.version <= OLD.version AND (NEW.version < OLD.version OR ${isCopied(control)});`;

/** While rows are copied, one that came through the log already may be written as it is. */
const isCopied = (control: string): string =>
  `NOT EXISTS (SELECT 1 FROM ${control}.backfill_progress WHERE done = 0)`;

/** Every move of the offset, by a trigger in the transaction that makes it. */
export const offsetHistory = (control: string): string => `
  CREATE TABLE IF NOT EXISTS ${control}.moved (nr BIGINT AUTO_INCREMENT PRIMARY KEY, seq_before BIGINT, seq_after BIGINT, before_text TEXT, after_text TEXT);
  CREATE TRIGGER IF NOT EXISTS ${control}.offset_moved AFTER UPDATE ON ${control}.apply_offset FOR EACH ROW
    INSERT INTO ${control}.moved (seq_before, seq_after, before_text, after_text) VALUES (OLD.tx_seq, NEW.tx_seq, OLD.log_offset, NEW.log_offset);`;

/** `LEGACY` and `SERVICE` are the URLs of both databases. */
export const planOf = (chunkRows: number, source?: string): string => `version: 1
proxy: { listen: 0, secret: !env SECRET }
sync: { admin: 0${source === undefined ? '' : `, source: ${source}`} }
flags: { file: flags.json }
control: { listen: 0, ledger: !env LEGACY }
databases: { legacy: !env LEGACY, service: !env SERVICE }
upstreams: { legacy: "http://127.0.0.1:1", service: "http://127.0.0.1:2" }
migrations:
  money:
    owner: team
    upstream: service
    routes: ["GET /x"]
    data:
      from: legacy
      to: service
      chunkRows: ${chunkRows}
      tables:
        - from: account
          to: holder
          key: { holder_id: id }
          columns:
            sku: code
            title: name
            status: { enum: state, values: { A: active, B: blocked, C: closed } }
            price_minor: { minor: price, digits: 2 }
            opened_at: { utc: opened, zone: Europe/Berlin }
            is_open: { flag: is_open, whenNull: true }
            origin: { constant: legacy }
            amount: amount
            version: version
            note: note
          split: [{ to: holder_tag, column: tags, key: { holder_id: id }, item: tag, position: position }]
          lost: [tags, is_open]
        - from: vault
          to: safe
          key: { area: region, slot: slot }
          columns: { amount: amount, version: version }
        - from: entry
          to: posting
          key: { id: id }
          columns: { holder_id: account_id, writer: writer, serial: serial, pad: pad }
`;
