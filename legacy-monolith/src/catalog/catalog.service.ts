import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Brackets, Repository, type SelectQueryBuilder } from 'typeorm';
import {
  toCategory,
  toProduct,
  type CategoryDetailAnswer,
  type CategoryListAnswer,
  type ProductAnswer,
  type ProductPageAnswer,
  type TagAnswer,
} from './answers.js';
import { Category } from './category.entity.js';
import type { ProductQuery, ProductSort } from './product-query.js';
import { Product } from './product.entity.js';
import { escapeLike, splitTags } from './tags.js';

const VISIBLE = "p.deleted_at IS NULL AND p.is_visible = 1 AND p.status IN ('active', 'sold_out')";

@Injectable()
export class CatalogService {
  constructor(
    @InjectRepository(Product) private readonly products: Repository<Product>,
    @InjectRepository(Category) private readonly categories: Repository<Category>,
  ) {}

  async list(query: ProductQuery): Promise<ProductPageAnswer> {
    const { page, per_page } = query;
    const [rows, total] = await this.matching(query)
      .offset((page - 1) * per_page)
      .limit(per_page)
      .getManyAndCount();
    return { items: await this.withCategories(rows), total, page, per_page };
  }

  async featured(): Promise<ProductAnswer[]> {
    const rows = await this.visible().andWhere('p.is_featured = 1').orderBy('p.id').limit(12).getMany();
    return this.withCategories(rows);
  }

  async related(id: number): Promise<ProductAnswer[]> {
    const { category_id } = await this.product(id);
    if (category_id === null) return [];
    const rows = await this.visible()
      .andWhere('p.category_id = :category_id AND p.id <> :id', { category_id, id })
      .orderBy('p.id')
      .limit(6)
      .getMany();
    return this.withCategories(rows);
  }

  /** The row of a product that customers may see. */
  async product(id: number): Promise<Product> {
    const row = await this.visible().andWhere('p.id = :id', { id }).getOne();
    if (!row) throw new NotFoundException(`Product ${id} not found`);
    return row;
  }

  async productBySku(sku: string): Promise<Product> {
    const row = await this.visible().andWhere('p.sku = :sku', { sku }).orderBy('p.id').limit(1).getOne();
    if (!row) throw new NotFoundException(`Product with SKU ${sku} not found`);
    return row;
  }

  async answer(product: Product): Promise<ProductAnswer> {
    return toProduct(product, await this.categoryOf(product));
  }

  async categoryList(): Promise<CategoryListAnswer[]> {
    const rows = await this.categories
      .createQueryBuilder('c')
      .where('COALESCE(c.deleted, 0) = 0')
      .orderBy('c.sort_order')
      .addOrderBy('c.id')
      .getMany();
    const counts = await this.visible()
      .select('p.category_id', 'category_id')
      .addSelect('COUNT(*)', 'count')
      .groupBy('p.category_id')
      .getRawMany<{ category_id: number | null; count: string }>();
    const countOf = new Map(counts.map(({ category_id, count }) => [category_id, Number(count)]));
    return rows.map((row) => ({
      id: row.id,
      name: row.name ?? '',
      slug: row.slug ?? '',
      parent_id: row.parent_id,
      sort_order: row.sort_order,
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

  /** Most used first; equally used ones by code point. */
  async tags(): Promise<TagAnswer[]> {
    const rows = await this.visible().andWhere('p.tags IS NOT NULL').getMany();
    const counts = new Map<string, number>();
    for (const tag of rows.flatMap((row) => splitTags(row.tags))) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    return [...counts]
      .map(([tag, count]) => ({ tag, count }))
      .toSorted((a, b) => b.count - a.count || (a.tag < b.tag ? -1 : 1));
  }

  private visible(): SelectQueryBuilder<Product> {
    return this.products.createQueryBuilder('p').where(VISIBLE);
  }

  private matching({ category, tag, q, sort }: ProductQuery): SelectQueryBuilder<Product> {
    const rows = this.visible();
    if (category)
      rows.andWhere(
        'p.category_id IN (SELECT c.id FROM category c WHERE c.slug = :category AND COALESCE(c.deleted, 0) = 0)',
        { category },
      );
    if (tag?.trim())
      rows.andWhere("CONCAT(',', REPLACE(REPLACE(TRIM(p.tags), ', ', ','), ' ,', ','), ',') LIKE :tag", {
        tag: `%,${escapeLike(tag.trim())},%`,
      });
    if (q?.trim())
      rows.andWhere(
        new Brackets((any) =>
          any.where('p.name LIKE :q').orWhere('p.sku LIKE :q').orWhere('p.description LIKE :q'),
        ),
        { q: `%${escapeLike(q.trim())}%` },
      );
    return sorted[sort](rows);
  }

  /** One query a product, as it has always been. */
  private async withCategories(rows: Product[]): Promise<ProductAnswer[]> {
    const answers: ProductAnswer[] = [];
    for (const row of rows) answers.push(await this.answer(row));
    return answers;
  }

  private async categoryOf({ category_id }: Product): Promise<Category | null> {
    if (category_id === null) return null;
    const category = await this.categories.findOneBy({ id: category_id });
    return category?.deleted ? null : category;
  }
}

/** Every order ends in the id, so that two pages never share a product. */
const sorted: Record<ProductSort, (rows: SelectQueryBuilder<Product>) => SelectQueryBuilder<Product>> = {
  name: (rows) => rows.orderBy('p.name').addOrderBy('p.id'),
  price: (rows) => rows.orderBy('p.price').addOrderBy('p.id'),
  newest: (rows) => rows.orderBy('p.created', 'DESC').addOrderBy('p.id', 'DESC'),
};
