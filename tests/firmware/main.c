/* SPDX-License-Identifier: MIT */
/*
 * main.c - says its version on USART1 at the start and every second, and blinks PC13.
 *
 * Registers are those of RM0008 (STM32F10x reference manual) and PM0056 (Cortex-M3), section in
 * brackets.
 */
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define RCC_CR		  REGISTER(0x40021000) /* [7.3.1] */
#define RCC_CFGR	  REGISTER(0x40021004) /* [7.3.2] */
#define RCC_APB2ENR	  REGISTER(0x40021018) /* [7.3.7] */
#define HSI_ON		  (1u << 0)
#define HSI_READY	  (1u << 1)
#define CLOCK_MASK	  0x0000000Fu /* SW and SWS */
#define GPIOA_ON	  (1u << 2)
#define GPIOC_ON	  (1u << 4)
#define USART1_ON	  (1u << 14)

#define GPIOA_CRH	  REGISTER(0x40010804) /* [9.2.2] */
#define GPIOC_CRH	  REGISTER(0x40011004)
#define GPIOC_BSRR	  REGISTER(0x40011010) /* [9.2.5] */
#define GPIOC_ODR	  REGISTER(0x4001100C) /* [9.2.4] */

#define USART1_SR	  REGISTER(0x40013800) /* [27.6.1] */
#define USART1_DR	  REGISTER(0x40013804)
#define USART1_BRR	  REGISTER(0x40013808)
#define USART1_CR1	  REGISTER(0x4001380C)
#define TX_EMPTY	  (1u << 7)
#define USART_ON	  (1u << 13)
#define TX_ON		  (1u << 3)

#define SYST_CSR	  REGISTER(0xE000E010) /* [PM0056 4.5] */
#define SYST_RVR	  REGISTER(0xE000E014)
#define SYST_CVR	  REGISTER(0xE000E018)
#define SYST_ON		  7u /* counts processor clocks, and interrupts at 0 */

#define CLOCK		  8000000u
#define BAUD		  115200u

void sys_tick(void);
int main(void);

static const char banner[] = "plugflash-test " VERSION "\r\n";

/* Initialised and cleared memory both, so that start-up code that does neither is noticed. */
static volatile uint32_t period_ms = 1000;
static volatile uint32_t elapsed_ms;

/* Any numbers will do, as long as they differ from block to block. */
#define BYTE(n)	   ((uint8_t)(n))
#define ROW_4(n)   BYTE((n)*7u), BYTE((n)*13u + 1u), BYTE((n)*29u + 3u), BYTE((n)*53u + 7u)
#define ROW_16(n)  ROW_4(n), ROW_4((n) + 1u), ROW_4((n) + 2u), ROW_4((n) + 3u)
#define ROW_64(n)  ROW_16(n), ROW_16((n) + 4u), ROW_16((n) + 8u), ROW_16((n) + 12u)
#define ROW_256(n) ROW_64(n), ROW_64((n) + 16u), ROW_64((n) + 32u), ROW_64((n) + 48u)
#define ROW_1K(n)  ROW_256(n), ROW_256((n) + 65u), ROW_256((n) + 130u), ROW_256((n) + 195u)

#define KIB	   1024

/* Aligned so that whole blocks of 256 bytes in the middle of the second one read as erased flash.
 */
__attribute__((aligned(256))) static const uint8_t table[] = {
	ROW_1K(0u),
	ROW_1K(3u),
#ifdef SECOND_TABLE
	[2 * KIB... 3 * KIB - 1] = 0xFF,
	ROW_1K(5u),
	ROW_1K(9u),
#endif
};

static void start_clock(void)
{
	RCC_CR |= HSI_ON;
	while (!(RCC_CR & HSI_READY))
		;
	/* A boot loader that jumps here may have left the PLL as clock. */
	RCC_CFGR = 0;
	while (RCC_CFGR & CLOCK_MASK)
		;
	RCC_APB2ENR |= GPIOA_ON | GPIOC_ON | USART1_ON;
}

static void start_pins(void)
{
	GPIOA_CRH =
		(GPIOA_CRH & ~0x000000F0u) | 0x000000B0u; /* PA9: alternate, push-pull, 50 MHz */
	GPIOC_CRH = (GPIOC_CRH & ~0x00F00000u) | 0x00200000u; /* PC13: output, push-pull, 2 MHz */
}

static void start_usart(void)
{
	USART1_BRR = (CLOCK + BAUD / 2) / BAUD; /* sixteenths of the divider [27.3.4] */
	USART1_CR1 = USART_ON | TX_ON;
}

static void start_tick(void)
{
	SYST_RVR = CLOCK / 1000 - 1;
	SYST_CVR = 0;
	SYST_CSR = SYST_ON;
}

void sys_tick(void)
{
	elapsed_ms++;
}

static void print(const char *text)
{
	for (; *text; text++) {
		while (!(USART1_SR & TX_EMPTY))
			;
		USART1_DR = (uint8_t)*text;
	}
}

static void blink(void)
{
	GPIOC_BSRR = GPIOC_ODR & 1u << 13 ? 1u << 29 : 1u << 13;
}

int main(void)
{
	uint32_t last = 0;

	start_clock();
	start_pins();
	start_usart();
	start_tick();
	print(banner);
	for (;;) {
		/* Read, so that it stays in the program. */
		(void)*(const volatile uint8_t *)&table[elapsed_ms % sizeof(table)];
		__asm__ volatile("wfi");
		if (elapsed_ms - last < period_ms)
			continue;
		last += period_ms;
		blink();
		print(banner);
	}
}
