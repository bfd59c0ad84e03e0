import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Brackets, In, Repository, type SelectQueryBuilder } from 'typeorm';
import type {
  CategoryDetailAnswer,
  CategoryListAnswer,
  PriceAnswer,
  ProductAnswer,
  ProductPageAnswer,
  TagAnswer,
} from './answers.js';
import { Category } from './category.entity.js';
import { escapeLike } from './escape-like.js';
import { ProductAnswers, toCategory } from './product-answers.js';
import type { ProductQuery, ProductSort } from './product-query.js';
import { ProductTag } from './product-tag.entity.js';
import { Product } from './product.entity.js';

const VISIBLE = "p.deletedAt IS NULL AND p.visible = 1 AND p.status IN ('active', 'sold-out')";

/** LIKE without a wildcard, because the shop searches with LIKE and the two differ: `=` takes "ß" for "ss". */
const HAS_TAG = 'EXISTS (SELECT 1 FROM product_tag t WHERE t.product_id = p.id AND t.tag LIKE :tag)';

@Injectable()
export class CatalogService {
  constructor(
    @InjectRepository(Product) private readonly products: Repository<Product>,
    @InjectRepository(Category) private readonly categories: Repository<Category>,
    @InjectRepository(ProductTag) private readonly productTags: Repository<ProductTag>,
    private readonly answers: ProductAnswers,
  ) {}

  async list(query: ProductQuery): Promise<ProductPageAnswer> {
    const { page, per_page } = query;
    const [rows, total] = await this.matching(query)
      .offset((page - 1) * per_page)
      .limit(per_page)
      .getManyAndCount();
    return { items: await this.withTags(rows), total, page, per_page };
  }

  async featured(): Promise<ProductAnswer[]> {
    return this.withTags(await this.visible().andWhere('p.featured = 1').orderBy('p.id').limit(12).getMany());
  }

  async related(id: number): Promise<ProductAnswer[]> {
    const { categoryId } = await this.visibleProduct(id);
    if (categoryId === null) return [];
    const rows = await this.visible()
      .andWhere('p.categoryId = :categoryId AND p.id <> :id', { categoryId, id })
      .orderBy('p.id')
      .limit(6)
      .getMany();
    return this.withTags(rows);
  }

  async product(id: number): Promise<ProductAnswer> {
    return this.withItsTags(await this.visibleProduct(id));
  }

  async productBySku(sku: string): Promise<ProductAnswer> {
    const row = await this.visible().andWhere('p.sku = :sku', { sku }).orderBy('p.id').limit(1).getOne();
    if (!row) throw new NotFoundException(`Product with SKU ${sku} not found`);
    return this.withItsTags(row);
  }

  async price(id: number): Promise<PriceAnswer> {
    return this.answers.price(await this.visibleProduct(id));
  }

  /** The row of a product that customers may see, with its category unless that is deleted. */
  async visibleProduct(id: number): Promise<Product> {
    const row = await this.visible().andWhere('p.id = :id', { id }).getOne();
    if (!row) throw new NotFoundException(`Product ${id} not found`);
    return row;
  }

  async categoryList(): Promise<CategoryListAnswer[]> {
    const rows = await this.categories.find({
      where: { deleted: false },
      order: { position: 'ASC', id: 'ASC' },
    });
    const counts = await this.products
      .createQueryBuilder('p')
      .select('p.categoryId', 'categoryId')
      .addSelect('COUNT(*)', 'count')
      .where(VISIBLE)
      .groupBy('p.categoryId')
      .getRawMany<{ categoryId: number | null; count: string }>();
    const countOf = new Map(counts.map(({ categoryId, count }) => [categoryId, Number(count)]));
    return rows.map((row) => ({
      id: row.id,
      name: row.name ?? '',
      slug: row.slug ?? '',
      parent_id: row.parentId,
      sort_order: row.position,
      product_count: countOf.get(row.id) ?? 0,
    }));
  }

  async category(slug: string): Promise<CategoryDetailAnswer> {
    const all = await this.categoryList();
    const found = all.find((each) => each.slug === slug);
    if (!found) throw new NotFoundException(`Category ${slug} not found`);
    const parent = all.find((each) => each.id === found.parent_id);
    const children = all.filter((each) => each.parent_id === found.id);
    return Object.assign(found, {
      parent: parent ? toCategory(parent) : null,
      children: children.map(toCategory),
    });
  }

  /** Most used first; equally used ones by code unit. Counted by bytes: "Neu" and "neu" are two tags. */
  async tags(): Promise<TagAnswer[]> {
    const rows = await this.products
      .createQueryBuilder('p')
      .innerJoin(ProductTag, 't', 't.productId = p.id')
      .select('t.tag COLLATE utf8mb4_bin', 'tag')
      .addSelect('COUNT(*)', 'count')
      .where(VISIBLE)
      .groupBy('t.tag COLLATE utf8mb4_bin')
      .getRawMany<{ tag: string; count: string }>();
    return rows
      .map(({ tag, count }) => ({ tag, count: Number(count) }))
      .toSorted((a, b) => b.count - a.count || (a.tag < b.tag ? -1 : 1));
  }

  private visible(): SelectQueryBuilder<Product> {
    return this.products
      .createQueryBuilder('p')
      .leftJoinAndSelect('p.category', 'c', 'c.deleted = 0')
      .where(VISIBLE);
  }

  private matching({ category, tag, q, sort }: ProductQuery): SelectQueryBuilder<Product> {
    const rows = this.visible();
    if (category) rows.andWhere('c.slug = :category', { category });
    if (tag?.trim()) rows.andWhere(HAS_TAG, { tag: escapeLike(tag.trim()) });
    if (q?.trim())
      rows.andWhere(
        new Brackets((any) =>
          any.where('p.title LIKE :q').orWhere('p.sku LIKE :q').orWhere('p.description LIKE :q'),
        ),
        { q: `%${escapeLike(q.trim())}%` },
      );
    return sorted[sort](rows);
  }

  private async withItsTags(row: Product): Promise<ProductAnswer> {
    const tagsOf = await this.tagsOf([row]);
    return this.answers.product(row, tagsOf(row));
  }

  private async withTags(rows: readonly Product[]): Promise<ProductAnswer[]> {
    const tagsOf = await this.tagsOf(rows);
    return rows.map((row) => this.answers.product(row, tagsOf(row)));
  }

  /** One query for the tags of all of them. */
  private async tagsOf(rows: readonly Product[]): Promise<(product: Product) => readonly string[]> {
    const found =
      rows.length === 0
        ? []
        : await this.productTags.find({
            where: { productId: In(rows.map(({ id }) => id)) },
            order: { productId: 'ASC', position: 'ASC' },
          });
    const byProduct = new Map<number, string[]>(rows.map(({ id }) => [id, []]));
    for (const { productId, tag } of found) byProduct.get(productId)?.push(tag);
    return ({ id }) => byProduct.get(id) ?? [];
  }
}

/** Every order ends in the id, so that two pages never share a product. */
const sorted: Record<ProductSort, (rows: SelectQueryBuilder<Product>) => SelectQueryBuilder<Product>> = {
  name: (rows) => rows.orderBy('p.title').addOrderBy('p.id'),
  price: (rows) => rows.orderBy('p.priceMinor').addOrderBy('p.id'),
  newest: (rows) => rows.orderBy('p.createdAt', 'DESC').addOrderBy('p.id', 'DESC'),
};
