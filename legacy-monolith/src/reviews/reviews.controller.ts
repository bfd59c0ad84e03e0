import { Body, Controller, Get, Param, ParseIntPipe, Post, Query, UseGuards } from '@nestjs/common';
import {
  ApiCookieAuth,
  ApiCreatedResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiParam,
  ApiSecurity,
  ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import type { Customer } from '../accounts/customer.entity.js';
import { CustomerGuard } from '../accounts/guards.js';
import { CurrentCustomer, customerName } from '../accounts/visitor.js';
import { PageQuery } from '../catalog/product-query.js';
import { RatingAnswer, ReviewAnswer, ReviewBody, ReviewPageAnswer } from './answers.js';
import { ReviewsService } from './reviews.service.js';

@ApiTags('reviews')
@Controller('api')
export class ReviewsController {
  constructor(private readonly reviews: ReviewsService) {}

  @Get('products/:id/reviews')
  @ApiParam({ name: 'id', example: 1 })
  @ApiOkResponse({ type: ReviewPageAnswer })
  @ApiNotFoundResponse()
  list(@Param('id', ParseIntPipe) id: number, @Query() query: PageQuery): Promise<ReviewPageAnswer> {
    return this.reviews.list(id, query);
  }

  /** It is in the lists when an admin has approved it. */
  @Post('products/:id/reviews')
  @UseGuards(CustomerGuard)
  @ApiCookieAuth()
  @ApiSecurity('csrf')
  @ApiParam({ name: 'id', example: 1 })
  @ApiCreatedResponse({ type: ReviewAnswer })
  @ApiUnauthorizedResponse()
  @ApiNotFoundResponse()
  write(
    @Param('id', ParseIntPipe) id: number,
    @CurrentCustomer() customer: Customer,
    @Body() body: ReviewBody,
  ): Promise<ReviewAnswer> {
    return this.reviews.write(id, { id: customer.id, name: customerName(customer) }, body);
  }

  @Get('products/:id/rating')
  @ApiParam({ name: 'id', example: 1 })
  @ApiOkResponse({ type: RatingAnswer })
  @ApiNotFoundResponse()
  rating(@Param('id', ParseIntPipe) id: number): Promise<RatingAnswer> {
    return this.reviews.rating(id);
  }

  @Get('reviews/:id')
  @ApiParam({ name: 'id', example: 1 })
  @ApiOkResponse({ type: ReviewAnswer })
  @ApiNotFoundResponse()
  one(@Param('id', ParseIntPipe) id: number): Promise<ReviewAnswer> {
    return this.reviews.one(id);
  }
}
