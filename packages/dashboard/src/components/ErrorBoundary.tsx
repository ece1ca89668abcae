import './CenteredMessage.css';
import { Component } from 'react';
import { Button } from './Button.tsx';
import type { Elements } from './elements.ts';

/** Catches errors outside of all pages, which would otherwise leave an empty window. */
export class ErrorBoundary extends Component<{ children: Elements }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <main className="centered">
        <h1>This page could not be displayed</h1>
        <p>
          <Button variant="primary" onClick={() => window.location.reload()}>
            Reload the page
          </Button>
        </p>
      </main>
    );
  }
}
