import { Inject, Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository, type SelectQueryBuilder } from 'typeorm';
import { CatalogService } from '../catalog/catalog.service.js';
import type { PageQuery } from '../catalog/product-query.js';
import { ENVIRONMENT, type Environment } from '../environment.js';
import { toLocalTime } from '../local-time.js';
import type { RatingAnswer, ReviewAnswer, ReviewPageAnswer } from './answers.js';
import { Review } from './review.entity.js';

@Injectable()
export class ReviewsService {
  constructor(
    @InjectRepository(Review) private readonly reviews: Repository<Review>,
    private readonly catalog: CatalogService,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  async list(productId: number, { page, per_page }: PageQuery): Promise<ReviewPageAnswer> {
    await this.catalog.visibleProduct(productId);
    const [rows, total] = await this.approved()
      .andWhere('r.productId = :productId', { productId })
      .orderBy('r.createdAt', 'DESC')
      .addOrderBy('r.id', 'DESC')
      .offset((page - 1) * per_page)
      .limit(per_page)
      .getManyAndCount();
    return { items: rows.map((row) => this.toAnswer(row)), total, page, per_page };
  }

  async one(id: number): Promise<ReviewAnswer> {
    const row = await this.approved().andWhere('r.id = :id', { id }).getOne();
    if (!row) throw new NotFoundException(`Review ${id} not found`);
    return this.toAnswer(row);
  }

  async rating(productId: number): Promise<RatingAnswer> {
    await this.catalog.visibleProduct(productId);
    const rows = await this.approved()
      .select('r.rating', 'rating')
      .addSelect('COUNT(*)', 'count')
      .andWhere('r.productId = :productId AND r.rating IS NOT NULL', { productId })
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

  private approved(): SelectQueryBuilder<Review> {
    return this.reviews.createQueryBuilder('r').where('r.approved = 1 AND r.deleted = 0');
  }

  private toAnswer(review: Review): ReviewAnswer {
    return {
      id: review.id,
      product_id: review.productId,
      author_name: review.authorName,
      rating: review.rating,
      title: review.title,
      body: review.body,
      created: toLocalTime(review.createdAt, this.environment.timezone),
    };
  }
}
