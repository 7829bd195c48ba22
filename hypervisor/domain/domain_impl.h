/* SPDX-License-Identifier: MIT */
/*
 * domain/domain_impl.h - what domain.c and domain_reap.c share; for them only.
 */
#ifndef VIGIL_DOMAIN_DOMAIN_IMPL_H
#define VIGIL_DOMAIN_DOMAIN_IMPL_H

#include "domain/domain.h"

/**
 * domain_struct_free() - a domain's number and its struct may serve anew
 * @d: nobody refers to it, and it has nothing any more
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void domain_struct_free(struct domain *d);

/**
 * domain_rest_free() - free what a domain may have much of, then the struct
 * @d: nobody refers to it; all else is freed
 *
 * A bounded step of it: domain_reap() does the rest.
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void domain_rest_free(struct domain *d);

#endif
