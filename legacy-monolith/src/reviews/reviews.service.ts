import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository, type SelectQueryBuilder } from 'typeorm';
import { CatalogService } from '../catalog/catalog.service.js';
import type { PageQuery } from '../catalog/product-query.js';
import { LocalClock } from '../local-time.js';
import {
  toReview,
  type RatingAnswer,
  type ReviewAnswer,
  type ReviewBody,
  type ReviewPageAnswer,
} from './answers.js';
import { Review } from './review.entity.js';

export interface Author {
  readonly id: number;
  readonly name: string;
}

@Injectable()
export class ReviewsService {
  constructor(
    @InjectRepository(Review) private readonly reviews: Repository<Review>,
    private readonly catalog: CatalogService,
    private readonly clock: LocalClock,
  ) {}

  async list(productId: number, { page, per_page }: PageQuery): Promise<ReviewPageAnswer> {
    await this.catalog.product(productId);
    const [rows, total] = await this.approved()
      .andWhere('r.product_id = :productId', { productId })
      .orderBy('r.created', 'DESC')
      .addOrderBy('r.id', 'DESC')
      .offset((page - 1) * per_page)
      .limit(per_page)
      .getManyAndCount();
    return { items: rows.map(toReview), total, page, per_page };
  }

  async one(id: number): Promise<ReviewAnswer> {
    const row = await this.approved().andWhere('r.id = :id', { id }).getOne();
    if (!row) throw new NotFoundException(`Review ${id} not found`);
    return toReview(row);
  }

  async rating(productId: number): Promise<RatingAnswer> {
    await this.catalog.product(productId);
    const rows = await this.approved()
      .select('r.rating', 'rating')
      .addSelect('COUNT(*)', 'count')
      .andWhere('r.product_id = :productId AND r.rating IS NOT NULL', { productId })
      .groupBy('r.rating')
      .getRawMany<{ rating: number; count: string }>();
    const distribution: Record<string, number> = { '1': 0, '2': 0, '3': 0, '4': 0, '5': 0 };
    let count = 0;
    let sum = 0;
    for (const row of rows) {
      distribution[row.rating] = Number(row.count);
      count += Number(row.count);
      sum += row.rating * Number(row.count);
    }
    const average = count === 0 ? null : Math.round((sum * 100) / count) / 100;
    return { product_id: productId, count, average, distribution };
  }

  /** A new review waits for an admin: it is not in any list before. */
  async write(productId: number, author: Author, body: ReviewBody): Promise<ReviewAnswer> {
    await this.catalog.product(productId);
    const row = await this.reviews.save({
      product_id: productId,
      customer_id: author.id,
      author_name: author.name,
      rating: body.rating,
      title: body.title,
      body: body.body,
      is_approved: 0,
      created: this.clock.now(),
    });
    return toReview(row);
  }

  async approve(id: number): Promise<ReviewAnswer> {
    const row = await this.reviews.findOneBy({ id });
    if (!row || row.deleted) throw new NotFoundException(`Review ${id} not found`);
    await this.reviews.update(id, { is_approved: 1 });
    return toReview(row);
  }

  private approved(): SelectQueryBuilder<Review> {
    return this.reviews.createQueryBuilder('r').where('r.is_approved = 1 AND COALESCE(r.deleted, 0) = 0');
  }
}
